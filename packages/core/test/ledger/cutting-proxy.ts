import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';

/** Stands between a client and PostgreSQL, and can swallow an answer together with the connection. */
export interface CuttingProxy extends AsyncDisposable {
  readonly config: ClientConfig;
  /** The next answer with this text in it never arrives; its connection breaks instead. */
  cutAt(text: string): void;
  /** The message of this number from now on, counted from 1, never arrives; its connection breaks instead. */
  cutMessage(from: 'client' | 'server', number: number): void;
  /** The next answer with this text in it, and all that follow on its connection, vanish without a word. */
  silenceAt(text: string): void;
  /** Answers cut so far. */
  readonly cuts: number;
}

export async function cuttingProxy(config: ClientConfig): Promise<CuttingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-proxy-'));
  const sockets = new Set<Socket>();
  let isCut = (_from: 'client' | 'server', _chunk: Buffer | string): boolean => false;
  let silently = false;
  let cuts = 0;
  const cut = (condition: typeof isCut, silence = false): void => {
    silently = silence;
    isCut = (from, chunk) => {
      if (!condition(from, chunk)) return false;
      isCut = () => false;
      cuts++;
      return true;
    };
  };
  const server = createServer((client) => {
    const upstream = createConnection(join(config.host!, '.s.PGSQL.5432'));
    let isSilent = false;
    const pass = (from: 'client' | 'server', chunk: Buffer | string, to: Socket): void => {
      if (isCut(from, chunk)) {
        isSilent = silently;
        if (!isSilent) client.destroy();
      } else if (!isSilent) to.write(chunk);
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => pass('client', chunk, upstream));
    upstream.on('data', (chunk) => pass('server', chunk, client));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, '.s.PGSQL.5432'), resolve));
  return {
    config: { ...config, host: folder },
    cutAt: (text) => cut((from, chunk) => from === 'server' && chunk.includes(text)),
    silenceAt: (text) => cut((from, chunk) => from === 'server' && chunk.includes(text), true),
    cutMessage: (side, number) => {
      let left = number;
      cut((from) => from === side && --left === 0);
    },
    get cuts() {
      return cuts;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
