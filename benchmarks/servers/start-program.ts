/** One of our small servers as a process of its own; it says where it listens as its first line, and ends with us. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface RunningProgram extends AsyncDisposable {
  readonly port: number;
}

/** @param file beside this one */
export async function startProgram(
  file: string,
  args: readonly string[] = [],
): Promise<RunningProgram> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  // Its standard input ends when we do, however that happens.
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    port: Number(line),
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
