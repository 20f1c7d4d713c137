/** Runs one task and says what it took: the whole process tree's, from start to end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Task } from '../case.ts';
import { cpuSecondsOf, cpuSecondsOfEnded, memoryOf, treeOf } from './process-tree.ts';

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system, of the process and its descendants. */
  readonly cpuSeconds: number;
  /** The highest sum that was seen, in bytes. Looked at ten times a second. */
  readonly peakRss: number;
  readonly peakPss: number;
}

const POLL_MS = 100;
const TOLD_CHARACTERS = 2000;

/** @throws when it ends with another code than 0, with the end of what it said */
export async function measure(task: Task): Promise<Measurement> {
  const [file = '', ...args] = task.argv;
  const before = cpuSecondsOfEnded();
  const began = performance.now();
  const child = spawn(file, args, {
    cwd: task.cwd,
    // Nothing else of ours: some peers go by variables (rclone by AWS_CA_BUNDLE).
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', ...task.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream
      .setEncoding('utf8')
      .on('data', (text: string) => (said = (said + text).slice(-TOLD_CHARACTERS)));
  // Some programs do not wait for their children (lftp for ssh): then the last look at them has to do.
  const seen = new Map<number, number>();
  let peakRss = 0;
  let peakPss = 0;
  const poll = setInterval(() => {
    const tree = treeOf(child.pid ?? 0);
    const { rss, pss } = memoryOf(tree);
    for (const pid of tree) seen.set(pid, Math.max(seen.get(pid) ?? 0, cpuSecondsOf(pid)));
    peakRss = Math.max(peakRss, rss);
    peakPss = Math.max(peakPss, pss);
  }, POLL_MS);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    const wallSeconds = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${task.argv.join(' ')} ended with ${code}:\n${said}`);
    const watched = [...seen.values()].reduce((sum, seconds) => sum + seconds, 0);
    const cpuSeconds = Math.max(cpuSecondsOfEnded() - before, watched);
    return { wallSeconds, cpuSeconds, peakRss, peakPss };
  } finally {
    clearInterval(poll);
  }
}
