import type * as Sdk from '@aws-sdk/client-secrets-manager';
import type {
  SecretsManagerClient,
  SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { type Clock, PluginError, type SecretStore } from '@octo/plugin-api';
import { askedSecret, fieldOf } from './asked-secret.ts';
import { classifyError } from './classify-error.ts';
import type { AwsSecretsConfig } from './config-schema.ts';

interface Opened {
  readonly sdk: typeof Sdk;
  readonly client: SecretsManagerClient;
}

/**
 * GetSecretValue of AWS Secrets Manager, each time anew: no value is kept here. The SDK is loaded with the first question;
 * every request has a deadline, and none is tried again: the host knows when.
 */
export class AwsSecrets implements SecretStore {
  readonly #config: AwsSecretsConfig;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #opened: Promise<Opened> | undefined;

  constructor(config: AwsSecretsConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  async get(name: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const asked = askedSecret(name, this.#config.prefix);
    const text = await this.#inTime(asked.secretId, signal, (inner) =>
      this.#ask(asked.secretId, inner),
    );
    return fieldOf(text, asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new PluginError('network', 'the store was closed', { code: 'CLOSED' }));
    const opened = this.#opened;
    if (opened !== undefined) (await opened).client.destroy();
  }

  async #ask(secretId: string, abortSignal: AbortSignal): Promise<string> {
    this.#opened ??= open(this.#config);
    const { sdk, client } = await this.#opened;
    const { versionStage } = this.#config;
    const command = new sdk.GetSecretValueCommand({
      SecretId: secretId,
      VersionStage: versionStage,
    });
    const { SecretString: text } = await client.send(command, { abortSignal });
    if (typeof text === 'string') return text;
    const message = `${secretId} holds bytes and no text; only SecretString is read`;
    throw new PluginError('validation', message, { code: 'NO_TEXT' });
  }

  async #inTime(
    secretId: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<string>,
  ): Promise<string> {
    const { timeoutMs } = this.#config;
    const late = new AbortController();
    const answered = new AbortController();
    const reason = new PluginError('network', `${secretId}: no answer in ${timeoutMs} ms`, {
      code: 'TIMEOUT',
    });
    void this.#clock.sleep(timeoutMs, answered.signal).then(
      () => late.abort(reason),
      () => {},
    );
    try {
      return await work(AbortSignal.any([signal, late.signal, this.#closed.signal]));
    } catch (error) {
      for (const one of [signal, late.signal, this.#closed.signal]) one.throwIfAborted();
      throw classifyError(error, secretId);
    } finally {
      answered.abort();
    }
  }
}

async function open(config: AwsSecretsConfig): Promise<Opened> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-secrets-manager'),
    import('@smithy/node-http-handler'),
  ]);
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: config.timeoutMs,
    requestTimeout: config.timeoutMs,
    // Without it the handler only logs a warning and goes on waiting.
    throwOnRequestTimeout: true,
  });
  const client = new sdk.SecretsManagerClient({ ...clientConfig(config), requestHandler });
  return { sdk, client };
}

function clientConfig({
  region,
  endpoint,
  credentials,
}: AwsSecretsConfig): SecretsManagerClientConfig {
  return {
    region,
    maxAttempts: 1,
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials: credentialsOf(credentials) }),
  };
}

function credentialsOf(
  given: NonNullable<AwsSecretsConfig['credentials']>,
): NonNullable<SecretsManagerClientConfig['credentials']> {
  const { accessKeyId, secretAccessKey, sessionToken } = given;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}
