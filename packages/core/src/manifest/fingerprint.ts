import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Manifest } from './manifest.ts';
import { readBounded, TooLarge } from './read-bounded.ts';

/** A manifest or a referenced file that is larger is refused anyway. */
const MAX_BYTES = 1024 * 1024;

/**
 * A hash of the contents of files: the same as long as reading them would give the same. Neither size nor time of a
 * file is believed. A file that cannot be read counts with the reason why.
 */
export async function fingerprint(files: Iterable<string>): Promise<string> {
  const all = createHash('sha256');
  for (const file of files) all.update(`${JSON.stringify(file)} ${await contentMark(file)}\n`);
  return all.digest('hex');
}

/**
 * When the file was last touched. Whoever has installed another version of a plugin touches the manifest: its contents say
 * nothing of that.
 */
export async function touchedAt(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return String(found?.mtimeNs);
}

/** The files that `${file:}` references of a manifest name. Absolute, each once, in a fixed order. */
export function referencedFiles({ file, source }: Manifest): string[] {
  const names = [...source.references.values()]
    .flat()
    .filter(({ scheme }) => scheme === 'file')
    .map(({ name }) => resolve(dirname(file), name));
  return [...new Set(names)].toSorted();
}

async function contentMark(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return 'not a file';
    return createHash('sha256')
      .update(await readBounded(file, MAX_BYTES))
      .digest('hex');
  } catch (error) {
    if (error instanceof TooLarge) return 'too large';
    return String((error as { readonly code?: unknown }).code);
  }
}
