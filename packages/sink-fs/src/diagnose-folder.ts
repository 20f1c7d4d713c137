import { dirname, join } from 'node:path';
import { isPluginError, PluginError, type Diagnosis } from '@octo/plugin-api';
import type { Disk } from './disk.ts';
import { asPluginError, unless } from './disk-error.ts';
import { proveHardLinks } from './folder-place.ts';
import { writeAll } from './write-all.ts';

/** Less than this is worth a warning. */
const LITTLE_SPACE_BYTES = 1024 ** 3;

const PROBE = new TextEncoder().encode('octo was here to see whether it can write\n');

type Step = readonly [step: string, remedy: string, work: () => Promise<string>];

/**
 * Does in a folder of its own, removed afterwards, everything that a delivery does. When the directory does not exist
 * yet, the nearest folder above it is tried.
 */
export async function* diagnoseFolder(
  disk: Disk,
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<Diagnosis> {
  const probe = `.octo-check-${crypto.randomUUID()}`;
  let folder = directory;
  const steps: readonly Step[] = [
    [
      'folder',
      'create the directory, or give this user the right to create files in it',
      async () => {
        folder = join(await nearestFolder(disk, directory), probe);
        await expectWritable(disk, directory);
        await disk.makeFolder(folder, 0o700);
        return dirname(folder) === directory ? directory : `in ${dirname(folder)}`;
      },
    ],
    [
      'write',
      'free some space, or look at the mount options',
      async () => {
        await writeProbe(disk, join(folder, 'file'));
        return `${PROBE.length} bytes, synced`;
      },
    ],
    [
      'hard link',
      'place the directory on a file system with hard links',
      async () => {
        await proveHardLinks(disk, folder);
        return 'refused where something is';
      },
    ],
    [
      'sync folder',
      'place the directory on a file system that can sync folders (fsync)',
      async () => {
        await disk.syncFolder(folder);
        return 'entries are durable';
      },
    ],
    [
      'delete',
      'give this user the right to delete files',
      async () => {
        await disk.unlink(join(folder, 'file'));
        return 'nothing left behind';
      },
    ],
  ];
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      const diagnosis = await taken(step, directory);
      yield diagnosis;
      if (diagnosis.outcome === 'failed') return;
    }
    yield await freeSpace(disk, folder, directory);
  } finally {
    if (folder !== directory) await removeProbe(disk, folder);
  }
}

/** @throws an error of the disk, or PluginError, when the directory cannot be written to or made */
export async function expectWritable(disk: Disk, directory: string): Promise<void> {
  const folder = await nearestFolder(disk, directory);
  await disk.mayWrite(folder);
}

async function nearestFolder(disk: Disk, directory: string): Promise<string> {
  const real = await unless(['ENOENT'], disk.realPath(directory));
  if (real === undefined) {
    await expectNothingAt(disk, directory);
    return nearestFolder(disk, dirname(directory));
  }
  const { kind } = await disk.status(real);
  if (kind === 'folder') return real;
  throw new PluginError('validation', `'${real}' is not a folder`, { code: 'NOT_A_FOLDER' });
}

/** A symbolic link to nowhere is there, although its target is not; no folder can be made in its place. */
async function expectNothingAt(disk: Disk, path: string): Promise<void> {
  if ((await unless(['ENOENT'], disk.status(path))) === undefined) return;
  throw new PluginError('not_found', `'${path}' is a symbolic link to a folder that is not there`, {
    code: 'FOLDER_GONE',
  });
}

async function taken([step, remedy, work]: Step, directory: string): Promise<Diagnosis> {
  try {
    return { step, outcome: 'passed', detail: await work() };
  } catch (cause) {
    const error = asPluginError(cause, directory);
    const detail = isPluginError(error) ? error.message : `folder '${directory}': ${String(cause)}`;
    return { step, outcome: 'failed', detail, remedy, error };
  }
}

async function writeProbe(disk: Disk, path: string): Promise<void> {
  const file = await disk.create(path);
  try {
    await writeAll(file, [PROBE], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  if (Buffer.from(await disk.read(path)).equals(PROBE)) return;
  throw new PluginError('integrity', `'${path}' has other bytes than were written`);
}

async function freeSpace(disk: Disk, folder: string, directory: string): Promise<Diagnosis> {
  try {
    const bytes = await disk.freeBytes(folder);
    const detail = `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
    if (bytes >= LITTLE_SPACE_BYTES) return { step: 'free space', outcome: 'passed', detail };
    const remedy = 'free some space before large files come';
    return { step: 'free space', outcome: 'warned', detail, remedy };
  } catch (cause) {
    const error = asPluginError(cause, directory);
    const remedy = 'look at the file system';
    return { step: 'free space', outcome: 'failed', detail: String(error), remedy, error };
  }
}

async function removeProbe(disk: Disk, folder: string): Promise<void> {
  for (const name of (await unless(['ENOENT'], disk.list(folder))) ?? []) {
    await disk.unlink(join(folder, name)).catch(() => undefined);
  }
  await disk.removeFolder(folder).catch(() => undefined);
}
