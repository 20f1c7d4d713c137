import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./host-process-main.ts', import.meta.url));

export type Task = 'lock' | 'embedded' | 'claim';

/** A process of its own that holds something of a state folder until it is told to end, or killed. */
export interface HostProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready: a line of JSON. */
  readonly said: { readonly [name: string]: unknown };
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** @throws Error with the process's words when it ends before it is ready */
export async function hostProcess(
  task: Task,
  folder: string,
  identity: { readonly uid?: number; readonly gid?: number } = {},
): Promise<HostProcess> {
  const args = ['--conditions', 'octo-source', '--no-warnings', SCRIPT, task, folder];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], ...identity });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const first = await Promise.race([once(createInterface(child.stdout), 'line'), exited]);
  if (typeof first[0] !== 'string') throw new Error(errors || `ended with ${first[0]}`);
  return {
    pid: child.pid!,
    said: JSON.parse(first[0]) as HostProcess['said'],
    kill: () => stop(child, exited, () => child.kill('SIGKILL')),
    end: () => stop(child, exited, () => child.stdin.end()),
    [Symbol.asyncDispose]: () => stop(child, exited, () => child.kill('SIGKILL')),
  };
}

async function stop(child: ChildProcess, exited: Promise<unknown>, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  how();
  await exited;
}
