/** A process and all its descendants, as /proc shows them now. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Memory {
  /** Bytes; what several processes share counts once for each. */
  readonly rss: number;
  /** Bytes; what several processes share is divided among them. */
  readonly pss: number;
}

const NOTHING: Memory = { rss: 0, pss: 0 };

/** The process and all below it. */
export function treeOf(root: number): readonly number[] {
  const children = Map.groupBy(allProcesses(), ({ parent }) => parent);
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []).map((child) => child.pid));
  return tree;
}

/** Their summed memory. */
export function memoryOf(tree: readonly number[]): Memory {
  return tree
    .map(ofOne)
    .reduce((sum, one) => ({ rss: sum.rss + one.rss, pss: sum.pss + one.pss }), NOTHING);
}

function allProcesses(): readonly { readonly pid: number; readonly parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statFields(name)[1] ?? 0) }));
}

function ofOne(pid: number): Memory {
  const text = textOf(`/proc/${pid}/smaps_rollup`);
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return { rss: bytes('Rss'), pss: bytes('Pss') };
}

/** From the state on, which is field 3 in proc(5): a name may contain spaces and parentheses. */
function statFields(pid: string | number): readonly string[] {
  const text = textOf(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * User and system time of all descendants of this process that have ended and were waited for, in seconds. Linux counts
 * in hundredths.
 */
export function cpuSecondsOfEnded(): number {
  return hundredths(statFields('self'), 13);
}

/** User and system time of a process up to now, in seconds, without its children's. */
export function cpuSecondsOf(pid: number): number {
  return hundredths(statFields(pid), 11);
}

function hundredths(fields: readonly string[], at: number): number {
  return (Number(fields[at] ?? 0) + Number(fields[at + 1] ?? 0)) / 100;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended in the meantime.
    return '';
  }
}
