import { ManualClock, SFTP_STATUS, VirtualTree } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import type { FolderEntry, SftpSession } from '../src/index.ts';
import { connected, failureOf, never, started, until } from './loopback.ts';

async function listed(
  session: SftpSession,
  folder: string,
  signal = never,
): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for await (const entry of session.list(folder, signal)) entries.push(entry);
  return entries;
}

test('a folder lists files and folders with size, time and path', async () => {
  const server = await started();
  const mtimeMs = Date.UTC(2026, 0, 15, 3, 45);
  server.tree.file('/outbound/a.csv', '12345', { mtimeMs }).folder('/outbound/archive');
  const session = await connected(server);
  const entries = await listed(session, '/outbound/');
  expect(entries).toEqual([
    { name: 'a.csv', path: '/outbound/a.csv', size: 5, mtimeMs, kind: 'file' },
    expect.objectContaining({ path: '/outbound/archive', kind: 'folder' }),
  ]);
  expect((await listed(session, '')).map(({ path }) => path)).toEqual(['outbound']);
  await until(() => server.counts.openHandles === 0);
});

test('an empty folder is an empty answer, a missing one is not found', async () => {
  const server = await started();
  server.tree.folder('/empty');
  const session = await connected(server);
  expect(await listed(session, '/empty')).toEqual([]);
  expect(await failureOf(listed(session, '/none'))).toMatchObject({
    type: 'not_found',
    code: 'NO_SUCH_FILE',
  });
  server.faults.refuse = ({ name }) =>
    name === 'OPENDIR' ? SFTP_STATUS.permissionDenied : undefined;
  expect((await failureOf(listed(session, '/empty'))).code).toBe('PERMISSION_DENIED');
});

test('ten thousand files are all listed', async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => ({ name: `file-${index}.csv` }));
  const session = await sessionListing(() => names);
  const entries = await listed(session, '/x');
  expect(entries.map(({ name }) => name)).toEqual(names.map(({ name }) => name));
});

test('names are asked for while others are on their way', async () => {
  const server = await started();
  for (const name of ['a', 'b']) server.tree.file(`/x/${name}`, '');
  const asked: number[] = [];
  server.faults.before = ({ name }) => {
    if (name !== 'READDIR') return;
    asked.push(server.log.filter((one) => one.name === 'READDIR').length);
  };
  const session = await connected(server);
  expect(await listed(session, '/x')).toHaveLength(2);
  // Before the first question was answered.
  expect(asked[0]).toBe(2);
});

describe('a server that refuses further questions while it has some', () => {
  test.each([1, 2, 5])('gets %i at a time, and every name is listed once', async (most) => {
    const tree = new VirtualTree();
    const names = Array.from({ length: 3000 }, (_, index) => `file-${index}.csv`);
    for (const name of names) tree.file(`/x/${name}`, '');
    const faults = { mostOutstandingListings: most };
    const session = await connected(await started({ tree, faults }));
    expect((await listed(session, '/x')).map(({ name }) => name)).toEqual(names);
  });

  test('is not taken at its word when the folder ends, and there are more names', async () => {
    const session = await answering([SFTP_STATUS.eof]);
    expect(await listed(session, '/x')).toHaveLength(1000);
  });

  test.each([
    ['fails for ever', Array.from({ length: 1000 }, () => SFTP_STATUS.failure)],
    ['fails, and then the folder ends', [SFTP_STATUS.failure, ...ends()]],
  ])('is not taken for whole when it %s', async (_, statuses) => {
    const session = await answering(statuses);
    expect((await failureOf(listed(session, '/x'))).message).toContain('list /x');
  });
});

/** A folder of a thousand files; questions for names are answered so from the fourth one on, which is asked beside others. */
async function answering(statuses: readonly number[]): Promise<SftpSession> {
  const tree = new VirtualTree();
  for (let index = 0; index < 1000; index += 1) tree.file(`/x/${index}`, '');
  const server = await started({ tree });
  let asked = 0;
  server.faults.refuse = ({ name }) => {
    if (name !== 'READDIR') return undefined;
    asked += 1;
    return statuses[asked - 4];
  };
  return await connected(server);
}

function ends(): number[] {
  return Array.from({ length: 1000 }, () => SFTP_STATUS.eof);
}

test('a listing without end is cut by its limit', async () => {
  function* endless() {
    for (let index = 0; ; index++) yield { name: `f${index}` };
  }
  const session = await sessionListing(endless, { maxEntries: 2000 });
  const error = await failureOf(listed(session, '/x'));
  expect(error).toMatchObject({ type: 'integrity', code: 'LISTING_LIMIT' });
  expect(error.message).toContain('2000');
});

const hostile: [string | Uint8Array, string | undefined][] = [
  ['../evil', 'UNSAFE_NAME'],
  ['/etc/passwd', 'UNSAFE_NAME'],
  ['..', undefined],
  ['a\nb', 'UNSAFE_NAME'],
  ['\u001B[2Jx', 'UNSAFE_NAME'],
  ['nul\0nul', 'UNSAFE_NAME'],
  ['', 'UNSAFE_NAME'],
  ['x'.repeat(256), 'UNSAFE_NAME'],
  [Buffer.from([0x72, 0xe9, 0x73, 0x75, 0x6d, 0xe9]), 'UNREADABLE_NAME'],
];

test('names that could be mistaken or cannot be spelled are refused, each with its reason', async () => {
  const session = await sessionListing(() => hostile.map(([name]) => ({ name })));
  const entries = await listed(session, '/x');
  expect(entries.map(({ refused }) => refused?.split(':')[0])).toEqual(
    hostile.filter(([name]) => name !== '..').map(([, reason]) => reason),
  );
  // oxlint-disable-next-line no-control-regex -- that none is left is what is asked
  for (const { refused } of entries) expect(refused).not.toMatch(/[\u0000-\u001F]/);
});

test('strange but honest names are listed as they are', async () => {
  const names = [
    '-rf',
    'CON',
    'é.csv',
    'e\u0301.csv',
    '%2e%2e%2f',
    'a b',
    '\u202Egpj.exe',
    '😀',
    'x'.repeat(255),
  ];
  const session = await sessionListing(() => names.map((name) => ({ name })));
  const entries = await listed(session, '/x');
  expect(entries.map(({ name, refused }) => [name, refused])).toEqual(
    names.map((name) => [name, undefined]),
  );
});

test('the type comes from the mode, whatever the long name says', async () => {
  const session = await sessionListing(() => [
    { name: 'file', longname: 'drwxr-xr-x 1 a b 0 Jan 1 file' },
    { name: 'folder', mode: 0o040755, longname: '-rw-r--r-- 1 a b 0 Jan 1 folder' },
    { name: 'link', mode: 0o120777, longname: '-rw-r--r-- 1 a b 0 Jan 1 link' },
    { name: 'fifo', mode: 0o010644 },
    { name: 'device', mode: 0o060644 },
    { name: 'unsized', claimedSize: 'none' as const },
  ]);
  const entries = await listed(session, '/x');
  expect(entries.map(({ kind, refused }) => [kind, refused?.split(':')[0]])).toEqual([
    ['file', undefined],
    ['folder', undefined],
    ['symlink', 'NOT_A_FILE'],
    ['other', 'NOT_A_FILE'],
    ['other', 'NOT_A_FILE'],
    ['file', 'NO_SIZE'],
  ]);
});

test('leaving the loop closes the folder', async () => {
  const server = await started();
  server.tree.file('/x/a', '').file('/x/b', '');
  const session = await connected(server);
  for await (const { name } of session.list('/x', never)) {
    expect(name).toBe('a');
    break;
  }
  await until(() => server.counts.openHandles === 0);
});

test('a server that does not answer a listing is given up', async () => {
  const clock = new ManualClock();
  const server = await started({ faults: { unanswered: ['READDIR'] } });
  const session = await connected(server, {}, { clock });
  const listing = failureOf(listed(session, '/'));
  await until(() => server.log.some(({ name }) => name === 'READDIR'));
  await clock.advance(60_000);
  expect(await listing).toMatchObject({ type: 'network', code: 'STALLED' });
});

test('an aborted listing ends at once although the server is silent', async () => {
  const server = await started({ faults: { unanswered: ['READDIR'] } });
  const session = await connected(server);
  const abort = new AbortController();
  const listing = listed(session, '/', abort.signal);
  await until(() => server.log.some(({ name }) => name === 'READDIR'));
  abort.abort(new Error('enough'));
  await expect(listing).rejects.toThrow('enough');
});

test('an answer that is not SFTP ends the session with a clear error', async () => {
  const server = await started({ faults: { malformed: ['READDIR'] } });
  const session = await connected(server);
  expect(await failureOf(listed(session, '/'))).toMatchObject({
    type: 'provider_down',
    code: 'PROTOCOL_ERROR',
  });
  expect(session.lost.aborted).toBe(true);
});

async function sessionListing(
  entries: Parameters<VirtualTree['listing']>[1],
  options: { maxEntries?: number } = {},
): Promise<SftpSession> {
  const tree = new VirtualTree().folder('/x').listing('/x', entries);
  return connected(await started({ tree }), options);
}
