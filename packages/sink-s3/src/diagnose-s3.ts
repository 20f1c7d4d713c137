/** The steps of `octo-host check` for this sink: from the store's name to a commit that is refused as it must be. */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { isPluginError, PluginError, type Diagnosis } from '@octo/plugin-api';
import type { S3SinkConfig } from './config-schema.ts';
import { probeStore, type Conditional } from './probe-store.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** Codes that say that the store does not know who is asking. */
const NOT_LOGGED_IN = new Set([
  'AUTHORIZATION_HEADER_MALFORMED',
  'CREDENTIALS_PROVIDER_ERROR',
  'EXPIRED_TOKEN',
  'INVALID_ACCESS_KEY_ID',
  'INVALID_TOKEN',
  'REQUEST_TIME_TOO_SKEWED',
  'SIGNATURE_DOES_NOT_MATCH',
]);

interface Step {
  readonly step: string;
  readonly work: () => Promise<string | Omit<Diagnosis, 'step'>>;
}

/** Stops at the first step that fails. */
export async function* diagnoseS3(
  config: S3SinkConfig,
  bucket: S3Bucket,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<Diagnosis> {
  for (const { step, work } of stepsOf(config, bucket, folder, signal)) {
    const diagnosis = await work().then(
      (found) =>
        typeof found === 'string'
          ? { step, outcome: 'passed' as const, detail: found }
          : { step, ...found },
      (error: unknown) => failed(step, error),
    );
    signal.throwIfAborted();
    yield diagnosis;
    if (diagnosis.outcome === 'failed') return;
  }
}

function stepsOf(
  config: S3SinkConfig,
  bucket: S3Bucket,
  folder: string,
  signal: AbortSignal,
): Step[] {
  const { hostname, port } = addressOf(config);
  const list = bucketListing(bucket, folder, signal);
  return [
    { step: 'resolve', work: async () => (await resolved(hostname)).join(', ') },
    { step: 'connect', work: () => connected(hostname, port, config, signal) },
    { step: 'login', work: () => login(list) },
    { step: 'bucket', work: async () => (await list(), `${config.bucket} can be listed`) },
    { step: 'write', work: () => write(bucket, `${folder}/written`, signal) },
    { step: 'delete', work: () => mayDelete(bucket, `${folder}/deleted`, signal) },
    { step: 'commit', work: async () => inWords(await probeStore(bucket, folder, signal)) },
  ];
}

/** One request that two steps look at. */
function bucketListing(bucket: S3Bucket, folder: string, signal: AbortSignal): () => Promise<void> {
  let listing: Promise<void> | undefined;
  return () => (listing ??= bucket.list(folder, signal));
}

async function login(list: () => Promise<void>): Promise<string> {
  try {
    await list();
  } catch (error) {
    const code = isPluginError(error) ? (error.code ?? '') : '';
    // Whatever else went wrong, the store knows who we are; the next step tells.
    if (NOT_LOGGED_IN.has(code) || !isPluginError(error) || isUnanswered(error)) throw error;
  }
  return 'credentials are known';
}

/** By the host: its message says what to do. */
function isRefused(error: unknown): boolean {
  return isPluginError(error) && error.type === 'validation';
}

function isUnanswered(error: PluginError): boolean {
  return error.type === 'network' || error.type === 'provider_down' || error.type === 'rate_limit';
}

async function write(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<string> {
  const id = await bucket.create(key, { 'octo-probe': 'write' }, signal);
  await bucket.abort({ key, id }, signal);
  return 'an upload was begun and aborted';
}

async function mayDelete(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal,
): Promise<string | Omit<Diagnosis, 'step'>> {
  try {
    await bucket.remove(key, signal);
    return 'objects of the probe can be deleted';
  } catch (error) {
    if (!isPluginError(error) || error.code !== 'ACCESS_DENIED') throw error;
    return {
      outcome: 'warned',
      detail: 'objects of the probe could not be deleted, so there is no probe of commits',
      remedy: `grant s3:DeleteObject on ${key.slice(0, key.indexOf('.octo-probe'))}.octo-probe/*`,
    };
  }
}

function inWords(conditional: Conditional): string | Omit<Diagnosis, 'step'> {
  if (conditional === 'atomic') return 'conditional and atomic: of eight at once, one won';
  return {
    outcome: 'warned',
    detail: `conditional commits are ${conditional} here: one writer at a time`,
    remedy: 'let no other program write below this prefix',
  };
}

function addressOf(config: S3SinkConfig): { hostname: string; port: number } {
  const { bucket, region, endpoint } = config;
  const url = new URL(endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`);
  const standard = url.protocol === 'http:' ? 80 : 443;
  return { hostname: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || standard) };
}

async function resolved(hostname: string): Promise<string[]> {
  try {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    if (isPluginError(cause)) throw cause;
    throw new PluginError('network', `the name ${hostname} cannot be resolved`, {
      cause,
      code: 'NOT_RESOLVED',
    });
  }
}

function connected(
  hostname: string,
  port: number,
  config: S3SinkConfig,
  signal: AbortSignal,
): Promise<string> {
  const { connectMs } = config.timeouts;
  return new Promise((resolve, reject) => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(connectMs)]);
    const socket = connect({ host: hostname, port, signal: within });
    socket.once('connect', () => {
      socket.destroy();
      resolve(`${hostname}:${port}`);
    });
    socket.once('error', (cause) => {
      if (isPluginError(cause)) return reject(cause);
      const code = 'NOT_CONNECTED';
      reject(new PluginError('network', `cannot connect to ${hostname}:${port}`, { cause, code }));
    });
  });
}

function failed(step: string, error: unknown): Diagnosis {
  const [detail = '', advice] = (error instanceof Error ? error.message : String(error)).split(
    ' — ',
  );
  const remedy =
    advice ??
    ((step === 'resolve' || step === 'connect') && !isRefused(error)
      ? 'check config/endpoint, the network and its firewalls'
      : undefined);
  return { step, outcome: 'failed', detail, error, ...(remedy !== undefined && { remedy }) };
}
