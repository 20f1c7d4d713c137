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
  const after = new Map<string, string>();
  const textOf = async (file: string): Promise<string> => {
    if (!before.has(file)) before.set(file, await readFile(join(folder, file), 'utf8'));
    return after.get(file) ?? before.get(file)!;
  };
  for (const edit of editsOf(fault)) {
    const text = edited(await textOf(edit.file), edit);
    after.set(edit.file, text);
    const built = builtFrom(edit.file);
    if (built === undefined) continue;
    await textOf(built);
    after.set(built, emittedFrom(text));
  }
  // Nothing is written before all of it is known to be right.
  await writeAll(folder, after);
  return { [Symbol.asyncDispose]: () => writeAll(folder, before) };
}

async function writeAll(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of files) await writeFile(join(folder, file), text);
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
