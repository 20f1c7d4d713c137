import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openWorkshop, pluginModule, type Workshop } from '../workers/workshop.ts';

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
    lookup: promisify((to, answer) => dns.lookup(to, answer)),
    promised: (to) => dns.promises.lookup(to),
    resolved: (to) => { const one = new dns.Resolver(); one.setServers([config.nameServer]); return promisify((name, answer) => one.resolve4(name, answer))(to); },
    asked: (to) => { const one = new dns.promises.Resolver(); one.setServers([config.nameServer]); return one.resolveTxt(to); },
    byDefault: (to) => { dns.setServers([config.nameServer]); return dns.promises.resolve(to); },
    bySecond: (to) => promisify(dns.resolveMx)(to),
    reverse: (to) => dns.promises.reverse(to),
    servers: async (to) => new dns.Resolver().setServers([to]),
    madeUp: (to) => new Promise((done, failed) => net.connect({ host: new URL(to).hostname, port: new URL(to).port, lookup: (_, options, answer) => answer(null, [{ address: '8.8.8.8', family: 4 }]) }).on('error', failed).on('connect', () => done('reached'))),
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
  `{ tries: {}, endpoint: { type: 'string' }, nameServer: { type: 'string' } }`,
);
const module = `import dns from 'node:dns'; import http from 'node:http'; import net from 'node:net'; import { promisify } from 'node:util';\n${stray}`;
const folderSink = new URL('../../../sink-fs/src/index.ts', import.meta.url).pathname;

async function answersOf(
  tries: readonly (readonly [string, string])[],
  config: object = {},
  allow: object = {},
  given?: Workshop,
): Promise<string[]> {
  const shop = given ?? (await openWorkshop());
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

test('a refused connection is told in the log, once, although the plugin swallows the refusal', async () => {
  const shop = await openWorkshop();
  const tries = ['127.0.0.9', '127.0.0.9', '10.0.0.1'].map(
    (host) => ['net', `http://${host}:${port}/`] as const,
  );
  await answersOf(tries, {}, {}, shop);
  const told = shop.logger.entries.filter(({ message }) => message === 'connection refused');
  expect(told.map(({ level, fields }) => [level, fields['reason']])).toEqual([
    ['warn', expect.stringContaining('127.0.0.9 is an address of this machine')],
    ['warn', expect.stringContaining('10.0.0.1 is a private address')],
  ]);
});

/** Answers that there is no such name, and keeps which names were asked for. */
async function openNameServer() {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const labels: string[] = [];
    for (let at = 12; message[at] !== 0 && at < message.length; at += message[at]! + 1)
      labels.push(message.toString('latin1', at + 1, at + 1 + message[at]!));
    questions.push(labels.join('.').toLowerCase());
    const answer = Buffer.from(message);
    answer.writeUInt16BE(0x8183, 2);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { at: `127.0.0.1:${socket.address().port}`, questions };
}

test('a plugin with a list reaches what is listed, and carries nothing out by an address or in a name', async () => {
  const before = asked;
  const { at, questions } = await openNameServer();
  const refused = [
    ['net', 'http://8.8.8.8:53/'],
    ['fetch', 'http://1.1.1.1/'],
    ['fetch', 'http://data.evil.example/'],
    ['http', `http://10.0.0.1:${port}/`],
    ['lookup', 'data.evil.example'],
    ['promised', 'data.evil.example'],
    ['resolved', 'data.evil.example'],
    ['asked', 'data.evil.example'],
    ['byDefault', 'data.evil.example'],
    ['bySecond', 'data.evil.example'],
    ['reverse', '6.6.6.6'],
    ['servers', '6.6.6.6'],
    ['servers', '10.0.0.1'],
    ['madeUp', `http://localhost:${port}/`],
  ] as const;
  const open = [
    ['resolved', 'listed.example'],
    ['bySecond', 'listed.example'],
    ['http', `http://localhost:${port}/`],
  ] as const;
  const allow = { egress: ['listed.example:22'], hosts: [at, `localhost:${port}`] };
  const answers = await answersOf([...refused, ...open], { nameServer: at }, allow);
  const ends = answers.map((answer) => answer.slice(answer.lastIndexOf(': ') + 2));
  expect(ends.slice(0, refused.length)).toEqual(refused.map(() => 'EGRESS_REFUSED'));
  expect(ends.slice(refused.length)).toEqual(['ENOTFOUND', 'ENOTFOUND', 'reached']);
  expect(questions).toEqual(['listed.example', 'listed.example']);
  expect(asked).toBe(before + 1);
});
