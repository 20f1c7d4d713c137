import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A secret by stage, or what AWS answers instead of it. */
type Stored =
  | { readonly [stage: string]: string | Uint8Array }
  | { readonly status: number; readonly error: string };

/** GetSecretValue as AWS Secrets Manager answers it (JSON 1.1, signed), on loopback. */
export class FakeSecretsManager implements AsyncDisposable {
  readonly secrets = new Map<string, Stored>();
  /** Names that were asked for. */
  readonly asked: string[] = [];
  /** What every request gets while it is set; `hang` for no answer at all. */
  failure: { readonly status: number; readonly error: string } | 'hang' | undefined;
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<FakeSecretsManager> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new FakeSecretsManager(server);
    server.on('request', (request, response) => void fake.#serve(request, response));
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request);
    if (answer === undefined) return;
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(
    request: IncomingMessage,
  ): Promise<{ readonly status: number; readonly body: object } | undefined> {
    const asked = JSON.parse(await text(request)) as { SecretId: string; VersionStage: string };
    this.asked.push(asked.SecretId);
    if (this.failure === 'hang') return undefined;
    const isSigned =
      request.headers.authorization?.includes('/secretsmanager/aws4_request') === true;
    if (!isSigned || request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue')
      return refusal(400, 'UnrecognizedClientException');
    const stored = this.failure ?? this.secrets.get(asked.SecretId);
    if (stored === undefined) return refusal(400, 'ResourceNotFoundException');
    if ('status' in stored) return refusal(Number(stored.status), String(stored.error));
    const value = stored[asked.VersionStage];
    if (value === undefined) return refusal(400, 'ResourceNotFoundException');
    const held =
      typeof value === 'string'
        ? { SecretString: value }
        : { SecretBinary: Buffer.from(value).toString('base64') };
    return { status: 200, body: { Name: asked.SecretId, VersionId: 'v', ...held } };
  }
}

function refusal(status: number, error: string) {
  return { status, body: { __type: error, Message: `AWS says ${error}` } };
}
