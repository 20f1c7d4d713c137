import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ManualClock, RecordingLogger, syncToDisk } from '@octo/plugin-testing';
import type { SinkUnderTest } from '@octo/plugin-testing/suites';
import { realDisk } from '../src/disk.ts';
import { FolderSink, type FolderSinkOptions } from '../src/folder-sink.ts';

export interface OpenedFolder extends SinkUnderTest {
  readonly sink: FolderSink;
  readonly root: string;
  readonly logger: RecordingLogger;
  readonly clock: ManualClock;
  another(options?: Partial<FolderSinkOptions>): FolderSink;
  placeForeignObject(key: string, bytes: Uint8Array): Promise<void>;
}

/** A folder sink on a folder that does not exist yet, and the folder as a reader sees it. */
export async function openFolder(): Promise<OpenedFolder> {
  const above = await mkdtemp(join(tmpdir(), 'octo-sink-fs-'));
  const root = join(above, 'delivered');
  const logger = new RecordingLogger();
  const clock = new ManualClock(Date.now());
  const another = (options: Partial<FolderSinkOptions> = {}) =>
    new FolderSink({
      directory: root,
      fileMode: 0o640,
      directoryMode: 0o750,
      logger,
      clock,
      disk: realDisk(syncToDisk),
      ...options,
    });
  return {
    sink: another(),
    another,
    root,
    logger,
    clock,
    readObject: (key) => readFile(join(root, key)).catch(() => undefined),
    listKeys: () => filesIn(root),
    async placeForeignObject(key, bytes) {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), bytes);
    },
    [Symbol.asyncDispose]: () => rm(above, { recursive: true, force: true }),
  };
}

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((key) => !key.startsWith('.octo/'));
}
