import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Identity } from './unprivileged.ts';

export interface Finished {
  /** `undefined` when it could not be started or was killed. */
  readonly exitCode: number | undefined;
  /** What it said, both streams, and why it could not be started. */
  readonly output: string;
}

/** Runs a program of PostgreSQL to its end, with nothing of this process's environment but the search path. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: Identity & { readonly cwd?: string },
): Promise<Finished> {
  const child = spawn(file, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: postgresEnvironment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return { exitCode: exitCode ?? undefined, output };
  } catch (error) {
    return { exitCode: undefined, output: `${output}${String(error)}` };
  }
}

export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
