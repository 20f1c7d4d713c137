/** A peer that writes into a folder of its own, which is looked at and emptied after each round. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender } from './case.ts';
import type { Ground } from './ground.ts';

/** What must lie there afterwards. */
export interface Expected {
  readonly files: number;
  /** All together. */
  readonly bytes: number;
}

export function intoFolder(
  ground: Ground,
  name: string,
  expected: Expected,
  argv: (folder: string) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Contender {
  return {
    name,
    async task(round) {
      const folder = join(ground.folder, 'peer', `round-${round}`);
      await mkdir(folder, { recursive: true });
      return {
        argv: argv(folder),
        env,
        cwd: folder,
        check: () => checkFolder(folder, expected),
        tidy: () => rm(folder, { recursive: true, force: true }),
      };
    },
  };
}

/** @throws Error when something else lies there than is expected */
export async function checkFolder(folder: string, expected: Expected): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  let bytes = 0;
  for (const file of files) bytes += (await stat(join(file.parentPath, file.name))).size;
  if (files.length === expected.files && bytes === expected.bytes) return;
  throw new Error(
    `${folder} has ${files.length} files of ${bytes} bytes, not ${expected.files} of ${expected.bytes}`,
  );
}
