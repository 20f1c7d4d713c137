import { readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { editsOf, type Edit, type Fault } from './fault.ts';

/**
 * Takes a control away in a copy of the repository, in the sources and in what is built of them; disposing of the answer puts
 * all back.
 * @throws Error when `find` does not stand exactly once in its file, or what comes of it is no TypeScript
 */
export async function plantFault(folder: string, fault: Fault): Promise<AsyncDisposable> {
  const before = new Map<string, string>();
  const change = async (path: string, text: string) => {
    if (!before.has(path)) before.set(path, await readFile(path, 'utf8'));
    await writeFile(path, text);
  };
  for (const edit of editsOf(fault)) {
    const path = join(folder, edit.file);
    const text = edited(await readFile(path, 'utf8'), edit);
    const built = builtFrom(edit.file);
    const emitted = edit.file.endsWith('.ts') ? emittedFrom(text) : undefined;
    await change(path, text);
    if (built !== undefined && emitted !== undefined) await change(join(folder, built), emitted);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const [path, text] of before) await writeFile(path, text);
    },
  };
}

/** How often a text stands in another one. */
export function countOf(find: string, text: string): number {
  return text.split(find).length - 1;
}

function edited(text: string, { file, find, put }: Edit): string {
  const times = countOf(find, text);
  if (times !== 1) throw new Error(`${file} has it ${times} times, not once: ${find}`);
  return text.replace(find, () => put);
}

/** What `tsc -b` makes of a source, if it makes anything of it. */
function builtFrom(file: string): string | undefined {
  const [, before, after] = /^(packages\/[^/]+\/)src\/(.+)\.ts$/.exec(file) ?? [];
  return before === undefined ? undefined : `${before}dist/${after}.js`;
}

/** One file as `tsc -b` would emit it, in no time: nothing in this repository needs more than its types taken off. */
function emittedFrom(text: string): string {
  return stripTypeScriptTypes(text).replaceAll(
    /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)'(\.[^']+)\.ts'/g,
    "$1'$2.js'",
  );
}
