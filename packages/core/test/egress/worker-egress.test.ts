import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, pluginModule } from '../workers/workshop.ts';

let server: Server;
let port = 0;
let asked = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const to = searchParams.get('to');
    if (pathname === '/redirect' && to !== null) response.writeHead(302, { location: to });
    response.end('reached');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

/** A plugin that is led astray: each of its ways to connect is one of the files that it lists, and the answer its size. */
const stray = pluginModule(
  'provider',
  `
  const ways = {
    fetch: async (to) => (await fetch(to)).text(),
    http: (to) => new Promise((done, failed) => http.get(to, (r) => { r.resume(); done('reached'); }).on('error', failed)),
    net: (to) => new Promise((done, failed) => net.connect(new URL(to).port || 80, new URL(to).hostname.replace(/[\\[\\]]/g, '')).on('error', failed).on('connect', function () { this.destroy(); done('reached'); })),
    path: (to) => new Promise((done, failed) => net.connect(to).on('error', failed).on('connect', () => done('reached'))),
  };
  const said = (error) => error?.cause?.code ?? error?.code ?? String(error);
  return { settleMs: 0, connect: async () => {
    const answers = [];
    // Not as addresses in the configuration, which would be wishes.
    for (const [way, to] of JSON.parse(atob(config.tries)))
      answers.push(way + ' ' + to + ': ' + await ways[way](to).catch(said));
    throw Object.assign(new Error(answers.join(' | ')), { $octo: '@octo/plugin-error', type: 'auth', code: 'TOLD' });
  } };`,
  `{ tries: {}, endpoint: { type: 'string' } }`,
);
const module = `import http from 'node:http'; import net from 'node:net';\n${stray}`;
const folderSink = new URL('../../../sink-fs/src/index.ts', import.meta.url).pathname;

async function answersOf(
  tries: readonly (readonly [string, string])[],
  config: object = {},
  allow: object = {},
): Promise<string[]> {
  const shop = await openWorkshop();
  await shop.file('stray.mjs', module);
  const { run } = await shop.host({
    plugins: {
      stray: {
        use: './stray.mjs',
        config: { tries: btoa(JSON.stringify(tries)), ...config },
        allow,
      },
      lake: { use: folderSink, config: { directory: './out' } },
    },
    pipelines: { trades: { from: 'stray', to: 'lake', key: '{name}' } },
  });
  const told = await run('trades').then(
    () => 'it was expected to fail',
    (error: Error) => error.message,
  );
  return told.split(' | ');
}

test('a plugin that is led to internal addresses gets no connection, whichever way they are spelled', async () => {
  const before = asked;
  const answers = await answersOf([
    ['fetch', `http://127.0.0.1:${port}/`],
    ['fetch', `http://2130706433:${port}/`],
    ['fetch', `http://0x7f.1:${port}/`],
    ['fetch', `http://0177.0.0.1:${port}/`],
    ['fetch', `http://[::ffff:7f00:1]:${port}/`],
    ['fetch', `http://0.0.0.0:${port}/`],
    ['fetch', 'http://169.254.169.254/latest/meta-data/'],
    ['http', `http://localhost:${port}/`],
    ['http', `http://127.0.0.1:${port}/`],
    ['net', `http://10.0.0.1:${port}/`],
    ['net', `http://[::1]:${port}/`],
    ['path', '/run/docker.sock'],
  ]);
  expect(answers).toHaveLength(12);
  for (const answer of answers) expect(answer).toMatch(/: EGRESS_REFUSED$/);
  expect(asked).toBe(before);
});

test('an address of the configuration is reached; a redirect from there to another internal one is not', async () => {
  const back = encodeURIComponent(`http://127.0.0.2:${port}/`);
  const answers = await answersOf(
    [
      ['fetch', `http://127.0.0.1:${port}/`],
      ['http', `http://127.0.0.1:${port}/`],
      ['net', `http://127.0.0.1:${port}/`],
      ['fetch', `http://127.0.0.1:${port}/redirect?to=${back}`],
    ],
    { endpoint: `http://127.0.0.1:${port}` },
  );
  expect(answers.slice(0, 3).every((answer) => answer.endsWith(': reached'))).toBe(true);
  expect(answers[3]).toMatch(/: EGRESS_REFUSED$/);
});

test('a name is reached only when the operator allows that name', async () => {
  const tries = [['http', `http://localhost:${port}/`]] as const;
  expect((await answersOf(tries))[0]).toMatch(/: EGRESS_REFUSED$/);
  expect((await answersOf(tries, {}, { hosts: ['localhost'] }))[0]).toMatch(/: reached$/);
});
