import { utimes } from 'node:fs/promises';
import type { RemoteFile } from '@octo/plugin-api';
import { RecordingLogger } from '@octo/plugin-testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Archive, type MoveExperience } from '../src/archive.ts';
import type { Folder } from '../src/folder/folder.ts';
import { FilePattern, SETTLEMENT_NAMES } from '../src/file-pattern.ts';
import { SettlementSession } from '../src/settlement-session.ts';
import { LocalFeed, listed, never, only, textOf } from './feed.ts';

const NAME = 'northwind_2026-01-14_2026-01-14_details.csv';
const MTIME = Date.UTC(2026, 0, 15);
const [FIRST, SECOND] = ['a'.repeat(64), 'b'.repeat(64)];

let feed: LocalFeed;
beforeEach(async () => {
  feed = await LocalFeed.open();
});
afterEach(async () => {
  await feed[Symbol.asyncDispose]();
});

test('a version published between the look and the move is moved, listed and delivered from the archive', async () => {
  await feed.put(NAME, 'first');
  let publish = async () => await feed.put(NAME, 'second', MTIME + 60_000);
  const session = withArchive({
    rename: async (from, to, signal) => {
      await publish();
      publish = async () => {};
      return await feed.folder.rename(from, to, signal);
    },
  });
  const first = await only(session);
  expect(await session.done?.(first, FIRST, never())).toBeUndefined();

  const second = await only(session);
  expect(second).toMatchObject({ archivedFor: FIRST, mtimeMs: MTIME + 60_000 });
  expect(await textOf(session, second)).toBe('second');
  expect(await session.done?.(second, SECOND, never())).toEqual({
    location: `drop/archive/${NAME}.${SECOND}`,
  });
  expect(await feed.names('archive')).toEqual([`${NAME}.${SECOND}`]);
});

test('with deletion, a version published between the look and the move is not deleted', async () => {
  await feed.put(NAME, 'first');
  let publish = async () => await feed.put(NAME, 'second', MTIME + 60_000);
  const session = withArchive(
    {
      rename: async (from, to, signal) => {
        await publish();
        publish = async () => {};
        return await feed.folder.rename(from, to, signal);
      },
    },
    { thenDelete: true },
  );
  await session.done?.(await only(session), FIRST, never());
  expect(await textOf(session, await only(session))).toBe('second');
});

test('two processes that move the same file agree', async () => {
  await feed.put(NAME, 'first');
  const other = withArchive({});
  const session = withArchive({
    rename: async (from, to, signal) => {
      await other.done?.(file, FIRST, signal);
      return await feed.folder.rename(from, to, signal);
    },
  });
  const file = await only(session);
  expect(await session.done?.(file, FIRST, never())).toEqual({
    location: `drop/archive/${NAME}.${FIRST}`,
  });
  expect(await feed.names('archive')).toEqual([`${NAME}.${FIRST}`]);
});

test('where moving changes the time of a file, no second one is moved, and one warning says so', async () => {
  const names = [1, 2, 3].map((day) => NAME.replaceAll('14', `0${day}`));
  for (const name of names) await feed.put(name, name);
  const logger = new RecordingLogger();
  const session = withArchive(
    {
      rename: async (from, to, signal) => {
        const answer = await feed.folder.rename(from, to, signal);
        await utimes(feed.path(to.replace('drop/', '')), 1, 1);
        return answer;
      },
    },
    { logger },
  );
  for (const file of await listed(session)) await session.done?.(file, idFor(file), never());
  expect(await feed.names()).toEqual(['archive', ...names.slice(1)]);
  expect(logger.messages('warn')).toEqual([expect.stringContaining('changes the time')]);
});

test('what else lies in the archive is none of our business', async () => {
  await feed.put('archive/readme.txt', 'x');
  await feed.put(`archive/${NAME}`, 'x');
  await feed.put(`archive/.${FIRST}`, 'x');
  expect(await listed(withArchive({}))).toEqual([]);
});

function withArchive(
  changed: Partial<Folder>,
  options: { thenDelete?: boolean; logger?: RecordingLogger; moves?: MoveExperience } = {},
): SettlementSession {
  const folder = { ...feed.folder, ...changed };
  const archive = new Archive({
    folder,
    path: 'drop/archive',
    thenDelete: false,
    logger: new RecordingLogger(),
    moves: {},
    ...options,
  });
  const pattern = new FilePattern(SETTLEMENT_NAMES);
  return new SettlementSession({ folder, inbox: 'drop', pattern, archive });
}

function idFor(file: RemoteFile): string {
  return Buffer.from(file.name).toString('hex').slice(-64);
}
