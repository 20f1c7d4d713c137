import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface AcmeServer extends AsyncDisposable {
  readonly baseUrl: string;
}

/** Acme's web server on loopback: index.json and the files that it names, for who has the token. */
export async function acmeServer(
  token: string,
  files: Readonly<Record<string, string>>,
): Promise<AcmeServer> {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url?.replace('/outbox/', '') ?? '');
    if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end();
    else if (name === 'index.json') response.end(JSON.stringify(indexOf(files)));
    else if (files[name] !== undefined) response.end(files[name]);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/outbox/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function indexOf(files: Readonly<Record<string, string>>): unknown[] {
  return Object.entries(files).map(([name, text]) => ({
    name,
    size: Buffer.byteLength(text),
    modified: '2026-01-15T03:30:00Z',
  }));
}
