import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { watchManifest } from '../../src/manifest/watch.ts';

/** Real time, except that the timer never comes: what is seen was hinted at. */
const hintsOnly: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => {
    if (ms < 1000) return await systemClock.sleep(ms, signal);
    await new Promise((_, reject) => {
      const giveUp = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
    });
  },
};

let folder: string;
let file: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'octo-watch-')), 'etc');
  await mkdir(folder);
  file = join(folder, 'plugins.json');
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true });
});

/** A watch that has looked once; `sees` resolves when a look finds this content. */
async function watching(clock: Clock = hintsOnly) {
  let seen: string | undefined;
  let tell = () => {};
  const look = async () => {
    seen = await readFile(file, 'utf8').catch(() => undefined);
    tell();
    return undefined;
  };
  const logger = new RecordingLogger();
  const watch = watchManifest({ file, clock, logger, look });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  const sees = (content: string | undefined) =>
    new Promise<string | undefined>((resolve) => {
      tell = () => {
        if (seen === content) resolve(seen);
      };
      tell();
    });
  return { watch, logger, sees };
}

describe.each([
  ['told by the file system', undefined],
  ['polled', '1'],
])('a change is noticed, %s:', (_, polling) => {
  beforeEach(() => {
    if (polling !== undefined) {
      vi.stubEnv('CHOKIDAR_USEPOLLING', polling);
      vi.stubEnv('CHOKIDAR_INTERVAL', '50');
    }
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('the file is written', async () => {
    await writeFile(file, 'one');
    const { sees } = await watching();
    await sees('one');
    for (const content of ['second', 'third']) {
      await writeFile(file, content);
      expect(await sees(content)).toBe(content);
    }
  });

  test('an editor renames another file over it, again and again', async () => {
    await writeFile(file, 'one');
    const { sees } = await watching();
    await sees('one');
    for (const content of ['second', 'third', 'fourth']) {
      await writeFile(`${file}.tmp`, content);
      await rename(`${file}.tmp`, file);
      expect(await sees(content)).toBe(content);
    }
  });

  test('it is removed and comes back', async () => {
    await writeFile(file, 'one');
    const { sees } = await watching();
    await sees('one');
    await rm(file);
    await sees(undefined);
    await writeFile(file, 'second');
    expect(await sees('second')).toBe('second');
  });

  test('its folder is removed and comes back', async () => {
    await writeFile(file, 'one');
    const { sees } = await watching();
    await sees('one');
    for (const content of ['second', 'third']) {
      await rm(folder, { recursive: true });
      await sees(undefined);
      await mkdir(folder);
      await writeFile(file, content);
      expect(await sees(content)).toBe(content);
    }
  });

  test('Kubernetes swaps the folder behind it', async () => {
    const version = async (name: string, content: string) => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'plugins.json'), content);
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await version('..2026_1', 'one');
    await symlink(join('..data', 'plugins.json'), file);
    const { sees } = await watching();
    await sees('one');
    for (const [name, content] of [
      ['..2026_2', 'second'],
      ['..2026_3', 'third'],
    ] as const) {
      await version(name, content);
      expect(await sees(content)).toBe(content);
    }
  });
});

test('without any hint it is looked at every ten seconds', async () => {
  const clock = new ManualClock();
  let looks = 0;
  const look = async () => {
    looks++;
    return undefined;
  };
  const logger = new RecordingLogger();
  await using _watch = watchManifest({
    file: join(folder, 'none', 'plugins.json'),
    clock,
    logger,
    look,
  });
  await clock.advance(60_000);
  expect(looks).toBeGreaterThanOrEqual(5);
  const soFar = looks;
  await clock.advance(60_000);
  expect(looks - soFar).toBe(6);
});

test('whoever wants another look sooner gets it', async () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  const look = async () => {
    looks.push(clock.monotonic());
    return looks.length === 1 ? 2000 : undefined;
  };
  await using _watch = watchManifest({ file, clock, logger: new RecordingLogger(), look });
  await clock.advance(30_000);
  const [first = 0, second = 0, third = 0] = looks;
  expect([second - first <= 2000, third - second]).toEqual([true, 10_000]);
});

test('other files of the folder wake nobody', async () => {
  await writeFile(file, 'one');
  let looks = 0;
  let told = Promise.withResolvers<void>();
  const look = async () => {
    looks++;
    told.resolve();
    return undefined;
  };
  await using _watch = watchManifest({
    file,
    clock: hintsOnly,
    logger: new RecordingLogger(),
    look,
  });
  await told.promise;
  for (let i = 0; i < 20; i++) await writeFile(join(folder, `other-${i}`), 'x');
  told = Promise.withResolvers<void>();
  await writeFile(file, 'second');
  await told.promise;
  expect(looks).toBeLessThanOrEqual(3);
});

test('a closed watch leaves nothing behind', async () => {
  await writeFile(file, 'one');
  const handles = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
  const before = handles();
  for (let i = 0; i < 5; i++) {
    const { watch, sees } = await watching();
    await sees('one');
    expect(handles()).toBeGreaterThan(before);
    await watch[Symbol.asyncDispose]();
  }
  // Handles are let go in the turn of the loop after this one.
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(handles()).toBe(before);
});
