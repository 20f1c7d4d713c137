import { createServer } from 'node:net';
import { hostKeyFromSeed, ManualClock, RecordingLogger, rsaHostKey } from '@octo/plugin-testing';
import ssh2, { type Algorithms } from 'ssh2';
import { afterEach, expect, test, vi } from 'vitest';
import { connectSftp } from '../src/index.ts';
import {
  connected,
  failureOf,
  never,
  optionsFor,
  started,
  systemClock,
  until,
} from './loopback.ts';

const services = { clock: systemClock, logger: new RecordingLogger() };
const connect = (options: Parameters<typeof connectSftp>[0], signal = never) =>
  connectSftp(options, services, signal);

afterEach(() => {
  vi.restoreAllMocks();
});

test('a session opens with the password and the pinned host key', async () => {
  const server = await started();
  const session = await connected(server);
  expect(await session.realpath('.', never)).toBe('/');
  expect(server.handshakes[0]).toMatchObject({
    kex: 'curve25519-sha256',
    cs: { cipher: 'aes128-gcm@openssh.com' },
  });
});

test('another host key is refused, and no credential is sent', async () => {
  const server = await started({ faults: { impostor: true } });
  const error = await failureOf(connect(optionsFor(server)));
  expect(error).toMatchObject({ type: 'auth', code: 'HOST_KEY_CHANGED' });
  expect(error.message).toContain(hostKeyFromSeed('impostor').fingerprint);
  expect(server.logins).toEqual([]);
});

test('one of several pinned host keys is enough, in either spelling', async () => {
  const server = await started();
  const other = hostKeyFromSeed('the next one');
  const own = hostKeyFromSeed('octo loopback');
  await connected(server, { hostKeys: [other.fingerprint, own.fingerprint] });
  await connected(server, { hostKeys: [other.line, `sftp.example ${own.line} root@vendor`] });
  expect(server.counts.connections).toBe(2);
});

test('the pinned key is found although the server prefers to show one of another type', async () => {
  const rsa = rsaHostKey();
  const ed25519 = hostKeyFromSeed('two keys');
  const server = await started({ hostKeys: [ed25519.privateKey, rsa.privateKey] });
  await connected(server, { hostKeys: [rsa.fingerprint] });
  expect(server.logins).not.toEqual([]);
  await connected(server, { hostKeys: [rsa.line] });
  const error = await failureOf(
    connect(optionsFor(server, { hostKeys: [hostKeyFromSeed('x').fingerprint] })),
  );
  expect(error.code).toBe('HOST_KEY_CHANGED');
  expect(error.message).toContain(rsa.fingerprint);
  expect(error.message).toContain(ed25519.fingerprint);
});

test('a server without a key of the pinned type is refused', async () => {
  const server = await started();
  const error = await failureOf(connect(optionsFor(server, { hostKeys: [rsaHostKey().line] })));
  expect(error.code).toBe('HOST_KEY_CHANGED');
});

test('a refused login names both causes, tries the password once, and never shows it', async () => {
  const server = await started();
  const error = await failureOf(connect(optionsFor(server, { password: 'hunter2-rotated' })));
  expect(error).toMatchObject({ type: 'auth', code: 'LOGIN_REFUSED' });
  expect(error.message).toContain(`127.0.0.1:${server.port}`);
  expect(error.message).toMatch(/username, password or key .* source IP/);
  expect(error.message).not.toContain('hunter2');
  expect(server.logins.filter(({ method }) => method === 'password')).toHaveLength(1);
});

test('a key is tried before the password, and the password is not sent when the key is enough', async () => {
  const key = encryptedKey();
  const server = await started({
    users: [{ username: 'octo', publicKeys: [key.public], password: 'loopback' }],
  });
  await connected(server, { privateKey: key.private, passphrase: 'open' });
  expect(server.logins.every(({ method }) => method === 'publickey')).toBe(true);
});

test('a server may want key and password, or ask for the password as a question', async () => {
  const key = hostKeyFromSeed('user');
  const server = await started({
    users: [
      { username: 'both', publicKeys: [key.line], password: 'loopback', both: true },
      { username: 'asked', password: 'loopback', interactive: true },
    ],
  });
  await connected(server, { username: 'both', privateKey: key.privateKey });
  await connected(server, { username: 'asked' });
  expect(server.logins.at(-1)).toEqual({ method: 'answer', password: 'loopback' });
});

test('a key that cannot be used is told before anything is sent', async () => {
  const server = await started();
  const key = encryptedKey();
  for (const [options, text] of [
    [{ privateKey: key.private }, 'set passphrase'],
    [{ privateKey: key.private, passphrase: 'wrong' }, 'passphrase does not fit'],
    [{ privateKey: 'not a key' }, 'format'],
    [{ privateKey: key.public }, 'public key'],
  ] as const) {
    const error = await failureOf(connect(optionsFor(server, options)));
    expect(error).toMatchObject({ type: 'validation', code: 'PRIVATE_KEY_UNREADABLE' });
    expect(error.message).toContain(text);
    expect(error.message).not.toContain('not a key');
  }
  expect(server.counts.connections).toBe(0);
});

test('missing or unreadable host keys and missing credentials are refused at once', async () => {
  const server = await started();
  const refused = async (options: Partial<Parameters<typeof connectSftp>[0]>) =>
    (await failureOf(connect(optionsFor(server, options)))).code;
  expect(await refused({ hostKeys: [] })).toBe('HOST_KEYS_MISSING');
  expect(await refused({ hostKeys: ['aa:bb:cc'] })).toBe('HOST_KEY_UNREADABLE');
  const { password: _, ...without } = optionsFor(server);
  expect((await failureOf(connect(without))).code).toBe('NO_CREDENTIALS');
  expect(server.counts.connections).toBe(0);
});

test.each<Algorithms>([
  { kex: ['diffie-hellman-group14-sha1'] },
  { cipher: ['aes128-cbc'] },
  { cipher: ['aes128-ctr'], hmac: ['hmac-sha1'] },
])('the weak algorithm %j is only offered when asked for', async (algorithms) => {
  const server = await started({ algorithms });
  const error = await failureOf(connect(optionsFor(server)));
  expect(error).toMatchObject({ type: 'validation', code: 'NO_COMMON_ALGORITHM' });
  expect(error.message).toContain('legacyAlgorithms');
  await connected(server, { legacyAlgorithms: true });
});

test('a port where nothing listens, a name that does not exist: network, and what to check', async () => {
  const server = await started();
  const port = await freePort();
  const refused = await failureOf(connect({ ...optionsFor(server), port }));
  expect(refused).toMatchObject({ type: 'network', code: 'ECONNREFUSED' });
  expect(refused.message).toContain(`127.0.0.1:${port}`);
  const unknown = await failureOf(connect({ ...optionsFor(server), host: 'sftp.invalid' }));
  expect(unknown.type).toBe('network');
  expect(unknown.message).toContain('sftp.invalid');
});

test.each(['close', 'reset'] as const)(
  'a server that answers TCP and then does "%s" is a matter of the network, not of credentials',
  async (greeting) => {
    const server = await started({ faults: { greeting } });
    const error = await failureOf(connect(optionsFor(server)));
    expect(error.type).toBe('network');
    expect(error.message).toContain('allow-list');
  },
);

test('a server that never says anything is given up after readyMs', async () => {
  const server = await started({ faults: { greeting: 'silence' } });
  const clock = new ManualClock();
  const connecting = failureOf(connectSftp(optionsFor(server), { ...services, clock }, never));
  // The first sleeper is the TCP connection's; the login's comes when that one is through.
  await until(() => server.counts.connections === 1);
  await clock.untilSleeping();
  await clock.advance(20_000);
  expect(await connecting).toMatchObject({ type: 'network', code: 'TIMEOUT' });
});

test('connecting can be aborted at any moment', async () => {
  const server = await started({ faults: { greeting: 'silence' } });
  const abort = new AbortController();
  const connecting = connect(optionsFor(server), abort.signal);
  await until(() => server.counts.connections === 1);
  abort.abort(new Error('enough'));
  await expect(connecting).rejects.toThrow('enough');
  await expect(connect(optionsFor(server), abort.signal)).rejects.toThrow('enough');
});

test('a user without SFTP is told so', async () => {
  const server = await started({ faults: { refuseSftp: true } });
  const error = await failureOf(connect(optionsFor(server)));
  expect(error).toMatchObject({ type: 'auth', code: 'SFTP_REFUSED' });
});

test('a connection that breaks or is reset at the end says nothing on the console', async () => {
  const spoken = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')];
  const server = await started({ faults: { resetOnEnd: true } });
  const session = await connected(server);
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  const broken = await connected(server);
  await server[Symbol.asyncDispose]();
  await until(() => broken.lost.aborted);
  expect(await failureOf(broken.stat('/', never))).toMatchObject({
    type: 'network',
    code: 'CONNECTION_LOST',
  });
  await broken[Symbol.asyncDispose]();
  for (const spy of spoken) expect(spy).not.toHaveBeenCalled();
});

/** Opened by the passphrase `open`. */
function encryptedKey() {
  const encryption = { passphrase: 'open', cipher: 'aes256-cbc', rounds: 16 };
  // Not ed25519: of those that ssh2 makes, one in some hundreds is malformed.
  return ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, ...encryption });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as { port: number };
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return port;
}
