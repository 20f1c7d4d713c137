import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EchoingServer extends AsyncDisposable {
  readonly url: string;
  /** How many requests came. */
  readonly count: number;
}

/**
 * A vendor, store or receiver that puts secrets into its refusals, as JSON and XML at once, cut in the middle of each.
 * `/wait` answers only when `meanwhile` has.
 */
export async function startEchoing(
  secrets: readonly string[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<EchoingServer> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    request.resume();
    if (request.url === '/wait') void meanwhile().then(() => response.end('go on'));
    else refuse(request, response);
  });
  const refuse = (request: IncomingMessage, response: ServerResponse): void => {
    const isStore = request.headers['authorization']?.startsWith('AWS4') === true;
    const said = secrets.join(' ');
    const text = isStore
      ? `<Error><Code>InvalidAccessKeyId</Code><Message>unknown ${inXml(said)}</Message></Error>`
      : JSON.stringify({
          error: 'invalid_client',
          error_description: said,
          title: said,
          detail: said,
        });
    response.writeHead(isStore ? 403 : 401, said.replace(/[^ -~]/g, ' ').slice(0, 200), {
      'content-type': isStore ? 'application/xml' : 'application/json',
      'x-request-id': secrets[0]?.replace(/[^ -~]/g, '') ?? '',
    });
    response.write(text.slice(0, text.length / 2), () => response.end(text.slice(text.length / 2)));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return count;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function inXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
