import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { proofOf } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { openFolder } from './open-folder.ts';

const SCRIPT = join(import.meta.dirname, 'dying-process.ts');
const AT_A_TIME = 3;
const quiet = new AbortController().signal;
const CONTENT = 'deposit_id,amount\n'.repeat(1000);

interface Death {
  /** What it told before. */
  readonly lines: readonly string[];
  readonly signal: string | undefined;
}

function runAndDie(folder: string, call: number): Promise<Death> {
  return new Promise((resolve) => {
    const args = ['--conditions=octo-source', SCRIPT, folder, String(call), CONTENT];
    execFile(process.execPath, args, (error, stdout) => {
      resolve({ lines: stdout.trim().split('\n'), signal: error?.signal ?? undefined });
    });
  });
}

/** What the next process makes of it: fence, look, and deliver if need be. */
async function recover(call: number): Promise<string> {
  await using place = await openFolder();
  const { lines, signal } = await runAndDie(place.root, call);
  const id = lines[0] ?? '';
  if (signal !== 'SIGKILL') return `alive, ${lines[1] ?? 'without an answer'}`;
  const seen = await place.readObject('in/key');
  if (seen && Buffer.from(seen).toString() !== CONTENT) return 'half a file was visible';
  await place.sink.abort({ key: 'in/key', id }, quiet);
  const head = await place.sink.head('in/key', quiet);
  if ((head !== undefined) !== (seen !== undefined)) return 'head and the folder disagree';
  if (head && head.metadata['delivery'] !== 'ours') return 'our own file was taken for a stranger';
  await using staged = await place.sink.stage({ key: 'in/key', metadata: {} }, quiet);
  await staged.write(Buffer.from(CONTENT), quiet);
  const answer = await staged.commit(proofOf(Buffer.from(CONTENT)), quiet);
  if (answer.outcome !== (head ? 'exists' : 'committed')) return `answered ${answer.outcome}`;
  await place.sink.abort({ key: 'in/key', id: staged.id }, quiet);
  const left = await readdir(join(place.root, '.octo/staged'), { withFileTypes: true });
  if (left.some((entry) => !entry.isDirectory())) return 'bytes were left behind';
  return head ? 'killed, and it was there' : 'killed, and it was not there';
}

test('a process that is killed at any call of a delivery leaves a folder that tells the truth', async () => {
  await using place = await openFolder();
  const whole = await runAndDie(place.root, 0);
  const calls = Number(/^committed after (\d+) calls$/.exec(whole.lines[1] ?? '')?.[1]);
  expect(calls).toBeGreaterThan(15);
  const outcomes: string[] = [];
  for (let call = 1; call <= calls; call += AT_A_TIME) {
    const numbers = Array.from({ length: AT_A_TIME }, (_, i) => call + i);
    const batch = numbers.filter((number) => number <= calls);
    outcomes.push(...(await Promise.all(batch.map((number) => recover(number)))));
  }
  const visibleFrom = outcomes.indexOf('killed, and it was there');
  expect(visibleFrom).toBeGreaterThan(0);
  expect(outcomes).toEqual(
    outcomes.map((_, i) =>
      i < visibleFrom ? 'killed, and it was not there' : 'killed, and it was there',
    ),
  );
}, 120_000);
