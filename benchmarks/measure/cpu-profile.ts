/** What V8's sampling profiler saw: which functions the main thread of each process was in, and for how long. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../case.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const SHOWN = 30;

/**
 * The same task, with a profile of every Node process of it in the folder. All of it runs in one process then: a worker has an
 * environment of nothing and may not write there, so that no profile would tell where the bytes went.
 */
export function profiled(task: Task, folder: string): Task {
  const flags = `--cpu-prof --cpu-prof-dir=${folder}`;
  return { ...task, env: { ...task.env, NODE_OPTIONS: flags, OCTO_ISOLATION: 'none' } };
}

/** A table for each profile in the folder: the functions by their own time. */
export async function profileTables(folder: string): Promise<string> {
  const tables: string[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    tables.push(tableOf(JSON.parse(await readFile(join(folder, name), 'utf8')) as Profile));
  }
  return tables.join('\n');
}

function tableOf({ nodes, samples, timeDeltas }: Profile): string {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const own = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    own.set(name, (own.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1e6);
  }
  const rows = [...own].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  return `| seconds | function |\n| --- | --- |\n${rows
    .map(([name, seconds]) => `| ${seconds.toFixed(2)} | ${name} |\n`)
    .join('')}`;
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const file = url.split('/').slice(-2).join('/');
  return `${functionName || 'anonymous'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`;
}
