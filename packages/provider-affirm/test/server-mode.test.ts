import { SFTP_STATUS, type SftpServer, startSftp, VirtualTree } from '@octo/plugin-testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AffirmConfig } from '../src/config-schema.ts';
import { affirm, listed, never, only, textOf } from './feed.ts';

const NAME = 'northwind_2026-01-14_2026-01-14_details.csv.gz.pgp';
const MTIME = Date.UTC(2026, 0, 15, 2, 30);
const [FIRST, SECOND] = ['a'.repeat(64), 'b'.repeat(64)];

let tree: VirtualTree;
let server: SftpServer;
beforeEach(async () => {
  tree = new VirtualTree().folder('/outbound');
  server = await startSftp({ tree });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe('listing', () => {
  test('tells the settlement files of a folder on the server', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed').file('/outbound/readme.txt', 'x');
    await using session = await connect({ remoteDir: 'outbound' });
    expect(await listed(session)).toEqual([
      {
        path: `outbound/${NAME}`,
        name: NAME,
        size: 6,
        mtimeMs: MTIME,
        fields: { merchant: 'northwind', from: '2026-01-14', to: '2026-01-14', kind: 'details' },
        group: 'northwind/2026-01-14/2026-01-14',
      },
    ]);
  });

  test('begins where the login arrives, and takes absolute folders', async () => {
    tree.file(`/${NAME}`, 'a').file(`/outbound/${NAME}`, 'b');
    await using here = await connect({});
    expect(await only(here)).toMatchObject({ path: NAME });
    await using there = await connect({ remoteDir: '/outbound/' });
    expect(await only(there)).toMatchObject({ path: `/outbound/${NAME}` });
    expect(await textOf(there, await only(there))).toBe('b');
  });

  test('of an empty folder is empty; of a missing folder it says what to check', async () => {
    await using session = await connect({ remoteDir: 'outbound' });
    expect(await listed(session)).toEqual([]);
    await using lost = await connect({ remoteDir: 'outbuond' });
    await expect(listed(lost)).rejects.toMatchObject({
      type: 'validation',
      message: expect.stringContaining("no folder 'outbuond'"),
    });
  });

  test('refuses what must not be opened, and only if it looks like a settlement file', async () => {
    tree
      .symlink(`/outbound/${NAME}`, '/etc/passwd')
      .symlink('/outbound/other', '/etc/passwd')
      .file(`/outbound/pipe_${NAME}`, '', { mode: 0o010644 })
      .file(
        Buffer.concat([Buffer.from('/outbound/m'), Buffer.of(0xfc), Buffer.from(`_${NAME}`)]),
        'x',
      )
      .listing('/', () => [
        { name: `../${NAME}` },
        { name: '../../etc/passwd' },
        { name: `\u001B[2J_${NAME}` },
      ]);
    await using session = await connect({ remoteDir: 'outbound' });
    expect(
      (await listed(session)).map(({ name, refused }) => [name, refused?.split(':')[0]]),
    ).toEqual([
      [`m\uFFFD_${NAME}`, 'UNREADABLE_NAME'],
      [NAME, 'NOT_A_FILE'],
      [`pipe_${NAME}`, 'NOT_A_FILE'],
    ]);
    await using root = await connect({});
    const names = (await listed(root)).map(({ name, refused }) => [name, refused?.split(':')[0]]);
    expect(names).toEqual([
      [`\u001B[2J_${NAME}`, 'UNSAFE_NAME'],
      [`../${NAME}`, 'UNSAFE_NAME'],
    ]);
    expect(server.log.filter(({ name }) => name === 'OPEN')).toEqual([]);
  });
});

describe('reading', () => {
  test('yields the bytes from any offset', async () => {
    const text = '0123456789'.repeat(100_000);
    tree.file(`/outbound/${NAME}`, text);
    await using session = await connect({ remoteDir: 'outbound' });
    const file = await only(session);
    expect(await textOf(session, file)).toBe(text);
    expect(await textOf(session, file, 999_990)).toBe('0123456789');
  });

  test('of a file that ends before its listed size is an error, not a short file', async () => {
    tree.file(`/outbound/${NAME}`, 'x'.repeat(50), { claimedSize: 80 });
    await using session = await connect({ remoteDir: 'outbound' });
    await expect(textOf(session, await only(session))).rejects.toMatchObject({ type: 'integrity' });
  });

  test('of a file that is gone is not_found', async () => {
    tree.file(`/outbound/${NAME}`, 'x');
    await using session = await connect({ remoteDir: 'outbound' });
    const file = await only(session);
    tree.delete(`/outbound/${NAME}`);
    expect(await session.stat(file, never())).toBeUndefined();
    await expect(textOf(session, file)).rejects.toMatchObject({ type: 'not_found' });
  });
});

describe('after the commit', () => {
  const moving = { remoteDir: 'outbound', afterCommit: { moveTo: 'archive' } } as const;

  test('a file is moved into the archive and found there for its delivery', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed');
    await using session = await connect(moving);
    const file = await only(session);
    const location = `outbound/archive/${NAME}.${FIRST}`;
    expect(await session.done?.(file, FIRST, never())).toEqual({ location });
    expect(await session.done?.(file, FIRST, never())).toEqual({ location });
    expect(await only(session)).toEqual({ ...file, location, archivedFor: FIRST });
    expect(tree.has(`/outbound/${NAME}`)).toBe(false);
  });

  test('a version published between the look and the move is delivered from the archive', async () => {
    tree.file(`/outbound/${NAME}`, 'first');
    server.faults.before = ({ name }) => {
      if (name !== 'RENAME') return;
      delete server.faults.before;
      tree.file(`/outbound/${NAME}`, 'second', { mtimeMs: MTIME + 60_000 });
    };
    await using session = await connect(moving);
    expect(await session.done?.(await only(session), FIRST, never())).toBeUndefined();
    const second = await only(session);
    expect(second).toMatchObject({ archivedFor: FIRST, mtimeMs: MTIME + 60_000, size: 6 });
    expect(await textOf(session, second)).toBe('second');
    await session.done?.(second, SECOND, never());
    expect(tree.has(`/outbound/archive/${NAME}.${SECOND}`)).toBe(true);
  });

  test('a file that another process moves first counts as done', async () => {
    tree.file(`/outbound/${NAME}`, 'first');
    await using other = await connect(moving);
    await using session = await connect(moving);
    const file = await only(session);
    server.faults.before = async ({ name }) => {
      if (name !== 'RENAME') return;
      delete server.faults.before;
      await other.done?.(file, FIRST, never());
    };
    expect(await session.done?.(file, FIRST, never())).toEqual({
      location: `outbound/archive/${NAME}.${FIRST}`,
    });
  });

  test('deleting goes through a private archive', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed');
    await using session = await connect({ remoteDir: 'outbound', afterCommit: 'delete' });
    await session.done?.(await only(session), FIRST, never());
    expect(await listed(session)).toEqual([]);
    const removed = server.log.filter(({ name }) => name === 'REMOVE').map(({ path }) => path);
    expect(removed).toEqual([`/outbound/.octo-archive/${NAME}.${FIRST}`]);
  });

  test('a login without the right to move says so, and the file stays', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed');
    server.faults.refuse = ({ name }) =>
      name === 'RENAME' ? SFTP_STATUS.permissionDenied : undefined;
    await using session = await connect(moving);
    await expect(session.done?.(await only(session), FIRST, never())).rejects.toMatchObject({
      type: 'auth',
    });
    expect(tree.has(`/outbound/${NAME}`)).toBe(true);
  });

  test('without a wish for it nothing is moved, made or removed', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed');
    await using session = await connect({ remoteDir: 'outbound' });
    await session.done?.(await only(session), FIRST, never());
    const verbs = new Set(server.log.map(({ name }) => name));
    for (const verb of ['RENAME', 'MKDIR', 'REMOVE', 'WRITE']) expect(verbs).not.toContain(verb);
  });
});

describe('connecting', () => {
  test('a wrong password is auth, another host key too, and neither shows the password', async () => {
    const wrong = connect({ password: 'not-this-one' });
    await expect(wrong).rejects.toMatchObject({ type: 'auth', code: 'LOGIN_REFUSED' });
    await expect(wrong).rejects.not.toThrow(/not-this-one/);
    server.faults.impostor = true;
    await expect(connect({})).rejects.toMatchObject({ type: 'auth', code: 'HOST_KEY_CHANGED' });
    expect(server.logins).not.toContainEqual(expect.objectContaining({ password: 'loopback' }));
  });

  test('health logs in, asks for the beginning of the folder, and leaves', async () => {
    for (let i = 0; i < 1000; i++) tree.file(`/outbound/${i}_${NAME}`, 'sealed');
    await provider({ remoteDir: 'outbound' }).health?.(never());
    await vi.waitUntil(() => server.log.at(-1)?.name === 'CLOSE');
    // Two questions are on their way at once, for a quarter of the names.
    expect(server.log.filter(({ name }) => name === 'READDIR')).toHaveLength(2);
  });

  test('health of an empty folder is good, of a missing one or a refused login it is not', async () => {
    await provider({ remoteDir: 'outbound' }).health?.(never());
    await expect(provider({ remoteDir: 'outbuond' }).health?.(never())).rejects.toMatchObject({
      type: 'validation',
      code: 'FOLDER_MISSING',
    });
    server.faults.refuseLogin = true;
    await expect(provider({}).health?.(never())).rejects.toMatchObject({ type: 'auth' });
  });
});

describe('looking whether all is well', () => {
  test('goes from the name of the server to its settlement files', async () => {
    tree.file(`/outbound/${NAME}`, 'sealed').file('/outbound/readme.txt', 'x');
    const steps = await diagnosed({ remoteDir: 'outbound' });
    expect(steps.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
      'resolve: passed',
      'connect: passed',
      'host key: passed',
      'login: passed',
      'list: passed',
      'settlement files: passed',
    ]);
    expect(steps.at(-1)?.detail).toBe('1 ready');
  });

  test('stops at the first step that fails', async () => {
    const steps = await diagnosed({ remoteDir: 'outbuond' });
    expect(steps.at(-1)).toMatchObject({ step: 'list', outcome: 'failed' });
  });
});

function provider(config: Partial<AffirmConfig>) {
  const { host, port, hostKeys } = server;
  return affirm({ host, port, hostKeys, username: 'octo', password: 'loopback', ...config });
}

function connect(config: Partial<AffirmConfig>) {
  return provider(config).connect(never());
}

async function diagnosed(config: Partial<AffirmConfig>) {
  return await Array.fromAsync(provider(config).diagnose?.(never()) ?? []);
}
