import { ManualClock, SFTP_STATUS } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { allOf, connected, failureOf, never, started, until } from './loopback.ts';

test('stat tells size, time and kind, and nothing of what is not there', async () => {
  const server = await started();
  const mtimeMs = Date.UTC(2026, 2, 1);
  server.tree.file('/a', '12345', { mtimeMs }).symlink('/link', '/a').folder('/folder');
  const session = await connected(server);
  expect(await session.stat('/a', never)).toEqual({ size: 5, mtimeMs, kind: 'file' });
  expect(await session.stat('/link', never)).toMatchObject({ kind: 'file', size: 5 });
  expect(await session.lstat('/link', never)).toMatchObject({ kind: 'symlink' });
  expect(await session.stat('/folder', never)).toMatchObject({ kind: 'folder' });
  expect(await session.stat('/none', never)).toBeUndefined();
});

test.each([
  ['refuses', {}],
  ['would do it', { renameReplaces: true }],
])('a rename moves, and never replaces, also when the server %s', async (_, faults) => {
  const server = await started({ faults });
  server.tree.file('/a', 'one').file('/b', 'two').folder('/archive');
  const session = await connected(server);
  await session.rename('/a', '/archive/a', never);
  expect(Buffer.from(server.tree.bytes('/archive/a')).toString()).toBe('one');
  const error = await failureOf(session.rename('/b', '/archive/a', never));
  expect(error).toMatchObject({ type: 'validation', code: 'TARGET_EXISTS' });
  expect(Buffer.from(server.tree.bytes('/archive/a')).toString()).toBe('one');
  expect((await failureOf(session.rename('/a', '/c', never))).type).toBe('not_found');
});

test('a target that appears at the last moment is told as such', async () => {
  const server = await started();
  server.tree.file('/a', 'one');
  server.faults.before = ({ name }) => {
    if (name === 'RENAME') server.tree.file('/b', 'other');
  };
  const session = await connected(server);
  expect((await failureOf(session.rename('/a', '/b', never))).code).toBe('TARGET_EXISTS');
  expect(server.tree.has('/a')).toBe(true);
});

test('a folder is made once and found the next time; files are removed', async () => {
  const server = await started();
  server.tree.file('/a', 'one');
  const session = await connected(server);
  await session.makeFolder('/archive', never);
  await session.makeFolder('/archive', never);
  expect(await session.stat('/archive', never)).toMatchObject({ kind: 'folder' });
  expect((await failureOf(session.makeFolder('/no/parent', never))).type).toBe('not_found');
  expect((await failureOf(session.makeFolder('/a', never))).type).toBe('provider_down');
  await session.remove('/a', never);
  expect(server.tree.has('/a')).toBe(false);
  expect((await failureOf(session.remove('/a', never))).type).toBe('not_found');
});

test.each([
  [SFTP_STATUS.noSuchFile, 'not_found', 'NO_SUCH_FILE'],
  [SFTP_STATUS.permissionDenied, 'auth', 'PERMISSION_DENIED'],
  [SFTP_STATUS.failure, 'provider_down', 'SFTP_FAILURE'],
  [SFTP_STATUS.unsupported, 'validation', 'UNSUPPORTED'],
  [7, 'network', 'CONNECTION_LOST'],
  [14, 'provider_down', 'NO_SPACE'],
  [4711, 'provider_down', 'SFTP_FAILURE'],
])('status %i of the server is "%s" with code %s', async (status, type, code) => {
  const server = await started({
    faults: { refuse: ({ name }) => (name === 'REMOVE' ? status : undefined) },
  });
  const session = await connected(server);
  const error = await failureOf(session.remove('/out\u001Bbound/a', never));
  expect(error).toMatchObject({ type, code });
  expect(error.message).toContain(`127.0.0.1:${server.port}`);
  expect(error.message).toContain('/out\\u{1b}bound/a');
});

test.each(['STAT', 'OPEN', 'RENAME', 'REMOVE', 'MKDIR', 'REALPATH'] as const)(
  'a %s that is never answered ends after idleMs, and the connection with it',
  async (name) => {
    const clock = new ManualClock();
    const server = await started({ faults: { unanswered: [name] } });
    const session = await connected(server, {}, { clock });
    const work = {
      STAT: () => session.stat('/a', never),
      OPEN: () => allOf(session.read('/a', {}, never)),
      RENAME: () => session.rename('/a', '/b', never),
      REMOVE: () => session.remove('/a', never),
      MKDIR: () => session.makeFolder('/a', never),
      REALPATH: () => session.realpath('/a', never),
    }[name]();
    const failure = failureOf(work);
    await until(() => server.log.some((asked) => asked.name === name));
    await clock.advance(60_000);
    expect(await failure).toMatchObject({ type: 'network', code: 'STALLED' });
    expect(session.lost.aborted).toBe(true);
  },
);

test('a file that was opened too late for its reader is closed all the same', async () => {
  const server = await started();
  server.tree.file('/a', 'one');
  const abort = new AbortController();
  server.faults.before = ({ name }) => {
    if (name === 'OPEN') abort.abort(new Error('enough'));
  };
  const session = await connected(server);
  await expect(allOf(session.read('/a', {}, abort.signal))).rejects.toThrow('enough');
  await until(() => server.log.some(({ name }) => name === 'CLOSE'));
  await session.stat('/a', never);
  await until(() => server.counts.openHandles === 0);
});

test('after disposal every question is refused', async () => {
  const server = await started();
  const session = await connected(server);
  await session[Symbol.asyncDispose]();
  expect(await failureOf(session.stat('/a', never))).toMatchObject({
    type: 'network',
    code: 'CLOSED',
  });
});

test('disposal ends what is still being read', async () => {
  const server = await started({ faults: { stallAt: { byte: 0 } } });
  server.tree.file('/a', 'one');
  const session = await connected(server);
  const reading = failureOf(allOf(session.read('/a', {}, never)));
  await until(() => server.counts.reads > 0);
  await session[Symbol.asyncDispose]();
  expect((await reading).code).toBe('CLOSED');
});
