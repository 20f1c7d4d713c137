import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { affirm, LocalFeed, listed, never, only, textOf } from './feed.ts';

const NAME = 'northwind_2026-01-14_2026-01-14_details.csv';
const SUMMARY = 'northwind_2026-01-14_2026-01-14_summary.csv.gz.pgp';
const MTIME = Date.UTC(2026, 0, 15);
const ID = 'd'.repeat(64);

let feed: LocalFeed;
beforeEach(async () => {
  feed = await LocalFeed.open();
});
afterEach(async () => {
  await feed[Symbol.asyncDispose]();
});

describe('listing', () => {
  test('tells each settlement file with the words of its name', async () => {
    await feed.put(NAME, 'content');
    await feed.put(SUMMARY, 'sealed');
    await using session = await feed.connect();
    const fields = { merchant: 'northwind', from: '2026-01-14', to: '2026-01-14' };
    const group = 'northwind/2026-01-14/2026-01-14';
    expect(await listed(session)).toEqual([
      {
        path: `drop/${NAME}`,
        name: NAME,
        size: 7,
        mtimeMs: MTIME,
        fields: { ...fields, kind: 'details' },
        group,
      },
      {
        path: `drop/${SUMMARY}`,
        name: SUMMARY,
        size: 6,
        mtimeMs: MTIME,
        fields: { ...fields, kind: 'summary' },
        group,
      },
    ]);
  });

  test('leaves alone what is not a settlement file', async () => {
    await feed.put('readme.txt', 'hello');
    await feed.put(`${NAME}.part`, 'half');
    await mkdir(feed.path(`x_${NAME}`));
    await using session = await feed.connect();
    expect(await listed(session)).toEqual([]);
  });

  test('of an empty folder is empty; of a missing folder it says what to check', async () => {
    await using session = await feed.connect();
    expect(await listed(session)).toEqual([]);
    await rm(feed.path('.'), { recursive: true });
    await expect(listed(session)).rejects.toMatchObject({
      type: 'validation',
      message: expect.stringContaining("no folder 'drop'"),
    });
  });

  test('follows a pattern of one’s own', async () => {
    await feed.put('tape_acme_20260114.csv', 'x');
    await using session = await feed.connect({
      pattern: '^tape_(?<partner>\\w+)_(?<day>\\d{8})\\.csv$',
    });
    expect(await only(session)).toMatchObject({ fields: { partner: 'acme', day: '20260114' } });
    expect(await only(session)).not.toHaveProperty('group');
  });

  test('refuses links, pipes and names that nobody can read, if they look like settlement files', async () => {
    await feed.put('target.csv', 'x');
    await feed.link(NAME, feed.path('target.csv'));
    await feed.link('other-link', feed.path('target.csv'));
    execFileSync('mkfifo', [feed.path(`pipe_${NAME}`)]);
    await writeFile(feed.path(`new\nline_${NAME}`), 'x');
    await writeFile(
      Buffer.concat([Buffer.from(feed.path('m')), Buffer.of(0xfc), Buffer.from(`ller_${NAME}`)]),
      'x',
    );
    await using session = await feed.connect();
    const refusals = (await listed(session)).map(({ name, refused }) => [
      name,
      refused?.split(':')[0],
    ]);
    expect(new Map(refusals as [string, string][])).toEqual(
      new Map([
        [NAME, 'NOT_A_FILE'],
        [`pipe_${NAME}`, 'NOT_A_FILE'],
        [`new\nline_${NAME}`, 'UNSAFE_NAME'],
        [`m\uFFFDller_${NAME}`, 'UNREADABLE_NAME'],
      ]),
    );
  });

  test('keeps names apart that only look the same', async () => {
    await feed.put(`caf\u00E9_${NAME}`, 'composed');
    await feed.put(`cafe\u0301_${NAME}`, 'decomposed');
    await using session = await feed.connect();
    const files = await listed(session);
    expect(await Promise.all(files.map((file) => textOf(session, file)))).toEqual([
      'decomposed',
      'composed',
    ]);
  });
});

describe('reading', () => {
  test('yields the bytes, from any offset, in pieces of bounded size', async () => {
    const text = '0123456789'.repeat(100_000);
    await feed.put(NAME, text);
    await using session = await feed.connect();
    const file = await only(session);
    expect(await textOf(session, file)).toBe(text);
    expect(await textOf(session, file, 999_995)).toBe('56789');
    expect(await textOf(session, file, 2_000_000)).toBe('');
    for await (const chunk of session.read(file, { offset: 0 }, never()))
      expect(chunk.length).toBeLessThanOrEqual(256 * 1024);
  });

  test('of a file that is gone is not_found, not an empty file', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect();
    const file = await only(session);
    await rm(feed.path(NAME));
    await expect(textOf(session, file)).rejects.toMatchObject({ type: 'not_found' });
    expect(await session.stat(file, never())).toBeUndefined();
  });

  test('does not follow a link that took the place of the file', async () => {
    await feed.put(NAME, 'x');
    await feed.put('secret', 'y');
    await using session = await feed.connect();
    const file = await only(session);
    await rm(feed.path(NAME));
    await feed.link(NAME, feed.path('secret'));
    await expect(textOf(session, file)).rejects.toMatchObject({ type: 'not_found' });
    expect(await session.stat(file, never())).toBeUndefined();
  });

  test('ends with the signal', async () => {
    await feed.put(NAME, 'x'.repeat(1_000_000));
    await using session = await feed.connect();
    const abort = new AbortController();
    const reading = session.read(await only(session), { offset: 0 }, abort.signal);
    await expect(
      (async () => {
        for await (const chunk of reading) if (chunk.length > 0) abort.abort(new Error('enough'));
      })(),
    ).rejects.toThrow('enough');
  });
});

describe('after the commit', () => {
  test('a file is left where it is unless something else is asked for', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect();
    await session.done?.(await only(session), ID, never());
    expect(await feed.names()).toEqual([NAME]);
  });

  test('a file is moved into the archive, which is made, and found there for its delivery', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    const file = await only(session);
    const location = `drop/archive/${NAME}.${ID}`;
    expect(await session.done?.(file, ID, never())).toEqual({ location });
    expect(await feed.names()).toEqual(['archive']);
    const archived = { ...file, location, archivedFor: ID };
    expect(await only(session)).toEqual(archived);
    expect(await session.stat(archived, never())).toEqual(archived);
    expect(await textOf(session, archived)).toBe('x');
  });

  test('moving again says the same, whether asked for the file or for its place in the archive', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    const file = await only(session);
    const first = await session.done?.(file, ID, never());
    expect(await session.done?.(file, ID, never())).toEqual(first);
    expect(await session.done?.(await only(session), ID, never())).toEqual(first);
  });

  test('a file is not moved when it is not the same any more', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    const file = await only(session);
    await feed.put(NAME, 'y', MTIME + 1_000);
    expect(await session.done?.(file, ID, never())).toBeUndefined();
    expect(await feed.names()).toEqual([NAME]);
  });

  test('the next version stays in the inbox after the archive has the first', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    const file = await only(session);
    await session.done?.(file, ID, never());
    await feed.put(NAME, 'y', MTIME + 1_000);
    await session.done?.(file, ID, never());
    expect(await feed.text(NAME)).toBe('y');
    expect(await feed.text(`archive/${NAME}.${ID}`)).toBe('x');
  });

  test('a version that was moved by mistake is delivered from the archive, and then gets a place of its own', async () => {
    await feed.put(`archive/${NAME}.${ID}`, 'next version', MTIME + 1_000);
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    const file = await only(session);
    expect(file).toMatchObject({ path: `drop/${NAME}`, size: 12, archivedFor: ID });
    expect(await textOf(session, file)).toBe('next version');
    const own = 'e'.repeat(64);
    await session.done?.(file, own, never());
    expect(await feed.names('archive')).toEqual([`${NAME}.${own}`]);
  });

  test('deleting goes through a private archive and leaves nothing', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: 'delete' });
    const file = await only(session);
    await session.done?.(file, ID, never());
    expect(await feed.names()).toEqual(['.octo-archive']);
    expect(await feed.names('.octo-archive')).toEqual([]);
    expect(await session.done?.(file, ID, never())).toBeUndefined();
  });

  test('deleting that was interrupted after the move is finished', async () => {
    await feed.put(`.octo-archive/${NAME}.${ID}`, 'x');
    await using session = await feed.connect({ afterCommit: 'delete' });
    await session.done?.(await only(session), ID, never());
    expect(await feed.names('.octo-archive')).toEqual([]);
  });

  test('never deletes another version', async () => {
    await feed.put(NAME, 'x');
    await using session = await feed.connect({ afterCommit: 'delete' });
    const file = await only(session);
    await feed.put(`.octo-archive/${NAME}.${ID}`, 'another', MTIME + 1_000);
    await session.done?.(file, ID, never());
    expect(await feed.text(`.octo-archive/${NAME}.${ID}`)).toBe('another');
  });

  test('a file whose name leaves no room for the delivery is left, and said so', async () => {
    const long = `${'n'.repeat(160)}_2026-01-14_2026-01-14_details.csv`;
    await feed.put(long, 'x');
    await using session = await feed.connect({ afterCommit: { moveTo: 'archive' } });
    await session.done?.(await only(session), ID, never());
    expect(await feed.names()).toEqual([long]);
    expect(feed.logger.entries).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });
});

describe('looking whether all is well', () => {
  test('counts what is ready and what must not be opened', async () => {
    await feed.put(NAME, 'x');
    await feed.link(`link_${NAME}`, feed.path(NAME));
    const steps = await Array.fromAsync(feed.provider().diagnose?.(never()) ?? []);
    expect(steps).toEqual([
      {
        step: 'settlement files',
        outcome: 'passed',
        detail: '1 ready, 1 that must not be opened',
      },
    ]);
  });

  test('warns when nothing matches, and fails when the folder is missing', async () => {
    const look = async () => await Array.fromAsync(feed.provider().diagnose?.(never()) ?? []);
    expect(await look()).toMatchObject([{ outcome: 'warned', remedy: expect.any(String) }]);
    await rm(feed.path('.'), { recursive: true });
    expect(await look()).toMatchObject([
      { outcome: 'failed', error: { type: 'validation' }, remedy: expect.any(String) },
    ]);
    await expect(feed.provider().health?.(never())).rejects.toMatchObject({ type: 'validation' });
  });
});

test('the archive may not be the inbox', () => {
  for (const moveTo of ['.', './', 'x/..'])
    expect(() => affirm({ directory: 'drop', afterCommit: { moveTo } })).toThrow(/name another/);
});
