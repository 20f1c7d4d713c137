import {
  contentOf,
  generatedContent,
  ManualClock,
  SFTP_STATUS,
  type SftpFaults,
} from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { SftpOptions } from '../src/index.ts';
import { allOf, connected, failureOf, never, started, until } from './loopback.ts';

const MIB = 2 ** 20;

async function serving(
  size: number,
  faults: SftpFaults = {},
  options: Partial<SftpOptions> = {},
  clock?: ManualClock,
) {
  const server = await started({ faults });
  const content = generatedContent(size);
  server.tree.file('/outbound/a.gpg', content);
  const session = await connected(server, options, clock === undefined ? {} : { clock });
  const read = (offset = 0, claimed: number | undefined = size, signal = never) =>
    session.read(
      '/outbound/a.gpg',
      claimed === undefined ? { offset } : { offset, size: claimed },
      signal,
    );
  return { server, session, read, whole: () => Buffer.from(content.read(0, size)) };
}

test('a file comes whole and in order, in large chunks, with many reads under way', async () => {
  const { server, read, whole } = await serving(5 * MIB + 12_345);
  const sizes: number[] = [];
  const parts: Uint8Array[] = [];
  for await (const chunk of read()) {
    sizes.push(chunk.length);
    parts.push(chunk);
  }
  expect(Buffer.concat(parts).equals(whole())).toBe(true);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  expect(sizes.slice(0, -1).every((size) => size >= 128 * 1024)).toBe(true);
  expect(server.counts.mostOutstandingReads).toBeGreaterThan(8);
  await until(() => server.counts.openHandles === 0);
});

test('reading goes on from an offset, and without a size until the server says end', async () => {
  const { read, whole } = await serving(MIB + 7);
  expect((await allOf(read(300_001))).equals(whole().subarray(300_001))).toBe(true);
  expect((await allOf(read(5, undefined))).equals(whole().subarray(5))).toBe(true);
  expect((await allOf(read(MIB + 7))).length).toBe(0);
});

test('a file whose size the server does not tell is read until the server says end', async () => {
  const server = await started();
  const content = generatedContent(700_001);
  server.tree.file('/a', content, { claimedSize: 'none' });
  const session = await connected(server);
  const bytes = await allOf(session.read('/a', {}, never));
  expect(bytes.equals(content.read(0, 700_001))).toBe(true);
});

test('an empty file is empty', async () => {
  const { read } = await serving(0);
  expect((await allOf(read())).length).toBe(0);
});

test.each<[string, SftpFaults]>([
  ['short replies', { shortReads: 1000 }],
  ['replies of random length', { shortReads: 'random' }],
  ['replies in another order', { shuffled: true }],
  ['replies in another order and of random length', { shuffled: true, shortReads: 'random' }],
  ['a server that takes 5 reads at once', { mostOutstandingReads: 5 }],
  ['a server that takes one read at a time', { mostOutstandingReads: 1 }],
])('the bytes are right in spite of %s', async (_, faults) => {
  const { server, read, whole } = await serving(MIB + 3, faults);
  expect((await allOf(read())).equals(whole())).toBe(true);
  expect((await allOf(read(77, undefined))).equals(whole().subarray(77))).toBe(true);
  await until(() => server.counts.openHandles === 0);
});

test('a server that takes few reads at once is asked for as many as it takes', async () => {
  const { server, read } = await serving(MIB, { mostOutstandingReads: 5 });
  await allOf(read());
  server.counts.mostOutstandingReads = 0;
  await allOf(read());
  expect(server.counts.mostOutstandingReads).toBeGreaterThan(2);
});

test('several files are read at once on one session, within one budget of reads', async () => {
  const server = await started({ faults: { mostOutstandingReads: 3 } });
  const session = await connected(server);
  const files = [1, 2, 3, 4, 5].map((seed) => generatedContent(500_000 + seed, seed));
  files.forEach((content, index) => server.tree.file(`/${index}`, content));
  const all = await Promise.all(
    files.map(({ size }, index) => allOf(session.read(`/${index}`, { size }, never))),
  );
  files.forEach((content, index) =>
    expect(all[index]?.equals(content.read(0, content.size))).toBe(true),
  );
});

test('end of file before the listed size is truncation, never success', async () => {
  const { server, read } = await serving(8 * MIB, { endAt: 3 * MIB });
  const error = await failureOf(allOf(read()));
  expect(error).toMatchObject({ type: 'integrity', code: 'TRUNCATED' });
  expect(error.message).toContain('/outbound/a.gpg');
  expect(error.message).toContain(String(8 * MIB));
  await until(() => server.counts.openHandles === 0);
});

test('a file that says zero bytes and has some is not an empty success', async () => {
  const server = await started();
  server.tree.file('/a', 'something', { claimedSize: 0 });
  const session = await connected(server);
  for (const options of [{}, { size: 0 }]) {
    const error = await failureOf(allOf(session.read('/a', options, never)));
    expect(error).toMatchObject({ type: 'integrity', code: 'GROWN' });
  }
});

test('a file that grows while it is read is not complete', async () => {
  const { server, read } = await serving(MIB);
  server.faults.before = ({ name, offset }) => {
    if (name === 'READ' && offset === 0) {
      server.tree.overwrite('/outbound/a.gpg', generatedContent(MIB + 1));
    }
  };
  expect((await failureOf(allOf(read()))).code).toBe('GROWN');
});

test('a file replaced by name during the read comes as it was when it was opened', async () => {
  const { server, read, whole } = await serving(MIB);
  server.faults.before = ({ name }) => {
    if (name === 'READ') server.tree.file('/outbound/a.gpg', generatedContent(MIB, 2));
  };
  expect((await allOf(read())).equals(whole())).toBe(true);
});

test('a file that shrinks while it is read is truncated', async () => {
  const { server, read } = await serving(MIB);
  server.faults.before = ({ name, offset }) => {
    if (name === 'READ' && offset !== 0) {
      server.tree.overwrite('/outbound/a.gpg', contentOf('short'));
    }
  };
  expect((await failureOf(allOf(read()))).code).toBe('TRUNCATED');
});

test('a reply longer than asked for is refused', async () => {
  const { read } = await serving(MIB, { overlong: 1 });
  expect(await failureOf(allOf(read()))).toMatchObject({
    type: 'integrity',
    code: 'OVERLONG_REPLY',
  });
});

test('a reply without bytes is no end of file, except where the file must end', async () => {
  const early = await serving(MIB, { emptyAt: MIB / 2 });
  expect(await failureOf(allOf(early.read()))).toMatchObject({
    type: 'integrity',
    code: 'EMPTY_REPLY',
  });
  const late = await serving(MIB, { emptyAt: MIB });
  expect((await allOf(late.read())).equals(late.whole())).toBe(true);
});

test('a file that is gone, before it is opened or while it is read, is not found', async () => {
  const { server, session, read } = await serving(MIB);
  const missing = await failureOf(allOf(session.read('/outbound/b.gpg', {}, never)));
  expect(missing).toMatchObject({ type: 'not_found', code: 'NO_SUCH_FILE' });
  server.faults.refuse = ({ name, offset }) =>
    name === 'READ' && offset !== 0 ? SFTP_STATUS.noSuchFile : undefined;
  expect((await failureOf(allOf(read()))).type).toBe('not_found');
});

test('a file that must not be read is a matter of permission', async () => {
  const { server, read } = await serving(MIB);
  server.faults.refuse = ({ name }) => (name === 'OPEN' ? SFTP_STATUS.permissionDenied : undefined);
  const error = await failureOf(allOf(read()));
  expect(error).toMatchObject({ type: 'auth', code: 'PERMISSION_DENIED' });
});

test('a read that fails with every number of reads under way fails', async () => {
  const { server, read } = await serving(MIB);
  server.faults.refuse = ({ name, offset }) =>
    name === 'READ' && offset !== 0 ? SFTP_STATUS.failure : undefined;
  expect(await failureOf(allOf(read()))).toMatchObject({
    type: 'provider_down',
    code: 'SFTP_FAILURE',
  });
  server.faults.refuse = () => undefined;
  expect((await allOf(read())).length).toBe(MIB);
});

test.each(['close', 'reset'] as const)(
  'a connection that ends ("%s") in the middle is a matter of the network, and the rest can be fetched',
  async (how) => {
    const { server, session, read, whole } = await serving(3 * MIB, {
      dropAt: { byte: 2 * MIB + 17, how, times: 1 },
    });
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of read()) parts.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({ type: 'network', code: 'CONNECTION_LOST' });
    expect(session.lost.aborted).toBe(true);
    const begun = Buffer.concat(parts);
    const again = await connected(server);
    const rest = await allOf(
      again.read('/outbound/a.gpg', { offset: begun.length, size: 3 * MIB }, never),
    );
    expect(Buffer.concat([begun, rest]).equals(whole())).toBe(true);
  },
);

test('a server that stops answering is given up after idleMs, whatever else lives', async () => {
  const clock = new ManualClock();
  const { server, session, read } = await serving(3 * MIB, { stallAt: { byte: MIB } }, {}, clock);
  const reading = failureOf(allOf(read()));
  await until(() => server.counts.readBytes >= MIB - 64 * 1024);
  await clock.untilSleeping();
  await clock.advance(120_000);
  expect(await reading).toMatchObject({ type: 'network', code: 'STALLED' });
  expect(session.lost.aborted).toBe(true);
});

test('a consumer that takes its time is no stall', async () => {
  const clock = new ManualClock();
  const { server, session, read, whole } = await serving(6 * MIB, {}, {}, clock);
  const parts: Uint8Array[] = [];
  for await (const chunk of read()) {
    if (parts.length === 0) {
      await until(() => server.counts.readBytes >= 4 * MIB);
      // Answered after all the reads: so none is under way any more.
      await session.stat('/', never);
      await clock.advance(600_000);
    }
    parts.push(chunk);
  }
  expect(Buffer.concat(parts).equals(whole())).toBe(true);
  expect(session.lost.aborted).toBe(false);
});

test('a file that trickles is given up by its rate', async () => {
  const trickle = { bytes: 1, everyMs: 1 };
  const { read } = await serving(MIB, { trickle }, { idleMs: 200, minBytesPerSecond: 1_000_000 });
  expect(await failureOf(allOf(read()))).toMatchObject({ type: 'network', code: 'TOO_SLOW' });
});

test('the window does not run ahead of the consumer by more than it may', async () => {
  const { server, session, read } = await serving(100 * MIB, {}, { readAheadBytes: MIB });
  for await (const _ of read()) {
    await until(() => server.counts.readBytes >= MIB);
    // Each is answered after the reads before it.
    for (let turn = 0; turn < 20; turn++) await session.stat('/', never);
    break;
  }
  expect(server.counts.readBytes).toBeLessThanOrEqual(2 * MIB);
  await until(() => server.counts.openHandles === 0);
});

test('leaving the loop closes the file, and the session goes on', async () => {
  const { server, session, read, whole } = await serving(50 * MIB);
  for await (const chunk of read()) {
    expect(whole().subarray(0, chunk.length).equals(chunk)).toBe(true);
    break;
  }
  await until(() => server.counts.openHandles === 0);
  expect(server.log.filter(({ name }) => name === 'CLOSE')).toHaveLength(1);
  expect(await session.stat('/outbound/a.gpg', never)).toMatchObject({ size: 50 * MIB });
});

test('an aborted read ends at once although the server is silent', async () => {
  const silent: SftpFaults = { stallAt: { byte: 0 }, unanswered: ['CLOSE'] };
  const { server, read } = await serving(MIB, silent);
  const abort = new AbortController();
  const reading = allOf(read(0, MIB, abort.signal));
  await until(() => server.counts.reads > 0);
  abort.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});

test('a hundred gigabytes have no end to wait for: bytes are where they should be', async () => {
  const size = 100 * 2 ** 30;
  const { server, session } = await serving(0);
  const content = generatedContent(size);
  server.tree.file('/huge', content);
  const offset = size - 2 * MIB;
  const tail = await allOf(session.read('/huge', { offset, size }, never));
  expect(tail.equals(content.read(offset, 2 * MIB))).toBe(true);
});
