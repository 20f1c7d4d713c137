/**
 * One lazily loaded SDK client that always answers in time: every request has a deadline and follows its caller's
 * signal, none is retried, and every failure is classified. Expired credentials are refreshed once for each request.
 */
import type * as S3Sdk from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { PluginError, type Clock } from '@octo/plugin-api';
import { classifyError, storeCode, type RequestInWords } from './classify-error.ts';
import type { S3SinkConfig } from './config-schema.ts';

type Sdk = typeof S3Sdk;

export interface Exchange {
  readonly sdk: Sdk;
  readonly client: S3Client;
  /** For the second argument of `client.send`. */
  readonly options: { readonly abortSignal: AbortSignal };
}

interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** The request was refused before anything was done; with new credentials, or a corrected clock, it may be sent again. */
const REFRESHABLE = new Set(['ExpiredToken', 'RequestTimeTooSkewed', 'TokenRefreshRequired']);

export class S3Connection implements AsyncDisposable {
  readonly #config: S3SinkConfig;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #opened: Promise<Opened> | undefined;

  constructor(config: S3SinkConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /**
   * Does one request. `work` may be called twice and must make its command anew each time.
   * @throws PluginError classified; the signal's reason when it was aborted
   */
  async ask<T>(
    request: RequestInWords,
    deadlineMs: number,
    work: (exchange: Exchange) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    const opened = await this.#open();
    try {
      return await this.#once(opened, request, deadlineMs, work, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!REFRESHABLE.has(storeCode(error))) throw classifyError(error, request);
    }
    try {
      // A wrong clock needs nothing: the SDK has learnt the offset from the refusal.
      await opened.client.config.credentials({ forceRefresh: true });
      return await this.#once(opened, request, deadlineMs, work, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw classifyError(error, request);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new PluginError('network', 'the S3 sink was closed', { code: 'CLOSED' }));
    const opened = this.#opened;
    if (opened !== undefined) (await opened).client.destroy();
  }

  async #once<T>(
    { sdk, client }: Opened,
    request: RequestInWords,
    deadlineMs: number,
    work: (exchange: Exchange) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const late = new AbortController();
    const answered = new AbortController();
    const stopped = this.#closed.signal;
    void this.#clock.sleep(deadlineMs, answered.signal).then(
      () => late.abort(timedOut(request, deadlineMs)),
      () => {},
    );
    try {
      const abortSignal = AbortSignal.any([signal, late.signal, stopped]);
      return await work({ sdk, client, options: { abortSignal } });
    } catch (error) {
      late.signal.throwIfAborted();
      stopped.throwIfAborted();
      throw error;
    } finally {
      answered.abort();
    }
  }

  #open(): Promise<Opened> {
    this.#closed.signal.throwIfAborted();
    this.#opened ??= open(this.#config);
    return this.#opened;
  }
}

async function open(config: S3SinkConfig): Promise<Opened> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
  ]);
  const timeouts = config.timeouts;
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: timeouts.connectMs,
    socketTimeout: timeouts.idleMs,
    requestTimeout: Math.max(timeouts.requestMs, timeouts.partMs, timeouts.completeMs),
    // Without it the handler only logs a warning and goes on waiting.
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: 128 },
    httpsAgent: { keepAlive: true, maxSockets: 128 },
  });
  return { sdk, client: new sdk.S3Client({ ...clientConfig(config), requestHandler }) };
}

function clientConfig(config: S3SinkConfig): S3ClientConfig {
  return {
    region: config.region,
    maxAttempts: 1,
    // Checksums are our own work; the SDK's default breaks stores that are not Amazon's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it every part would get a connection of its own.
    expectContinueHeader: false,
    forcePathStyle: config.forcePathStyle ?? config.endpoint !== undefined,
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
    ...(config.credentials && { credentials: credentialsOf(config.credentials) }),
  };
}

function credentialsOf(
  given: NonNullable<S3SinkConfig['credentials']>,
): NonNullable<S3ClientConfig['credentials']> {
  const { accessKeyId, secretAccessKey, sessionToken } = given;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function timedOut({ request, bucket, key }: RequestInWords, deadlineMs: number): PluginError {
  const where = key === undefined ? bucket : `${bucket}/${key}`;
  return new PluginError('network', `s3://${where}: ${request} got no answer in ${deadlineMs} ms`, {
    code: 'TIMEOUT',
  });
}
