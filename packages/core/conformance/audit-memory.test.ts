import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type Head, NO_RECORDS, OWN_ACTIONS, recordLine } from '../src/audit/audit-record.ts';
import { checkpointLine, logIdOf } from '../src/audit/checkpoint.ts';
import { segmentName } from '../src/audit/segment-name.ts';

const child = fileURLToPath(new URL('audit-memory-child.ts', import.meta.url));
const key = randomBytes(32);
const SEGMENTS = 32;
const RECORDS = 1000;
/** Of a record, and of what stands between two checkpoints in the file of syslog. */
const BYTES = 8000;

test('a log of 32 files and 250 MB, with a syslog file of 250 MB, is verified in less than 100 MiB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-audit-memory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const syslog = join(folder, 'syslog');
  {
    await using kept = await open(syslog, 'w');
    let after = NO_RECORDS;
    for (let index = 0; index < SEGMENTS; index++) after = await segment(folder, after, kept);
  }
  const { verdict, grownMiB } = await verified(folder, syslog);
  const records = SEGMENTS * RECORDS;
  expect(verdict).toMatchObject({ records, segments: SEGMENTS, provenTo: records });
  expect(verdict).not.toHaveProperty('bad');
  expect(grownMiB).toBeLessThan(100);
});

test('a line of 256 MiB that somebody put into a log is found in less than 100 MiB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-audit-memory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const syslog = join(folder, 'syslog');
  {
    await using kept = await open(syslog, 'w');
    const { n } = await segment(folder, NO_RECORDS, kept);
    await using next = await open(join(folder, segmentName(n + 1)), 'w');
    for (let mebibytes = 0; mebibytes < 256; mebibytes++)
      await next.writeFile(Buffer.alloc(1024 ** 2, 'x'));
  }
  const { verdict, grownMiB } = await verified(folder, syslog);
  expect(verdict).toMatchObject({ records: RECORDS, bad: { n: RECORDS + 1, line: 1 } });
  expect(grownMiB).toBeLessThan(100);
});

async function verified(
  folder: string,
  syslog: string,
): Promise<{ readonly verdict: object; readonly grownMiB: number }> {
  const args = ['--conditions=octo-source', child, folder, key.toString('hex'), syslog];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { verdict, grownMiB } = JSON.parse(stdout) as { verdict: object; grownMiB: number };
  console.info(`resident memory grew by ${Math.round(grownMiB)} MiB`);
  return { verdict, grownMiB };
}

/** One file of the log; each of its records is kept as a checkpoint, among much else. */
async function segment(folder: string, before: Head, kept: FileHandle): Promise<Head> {
  const noise = `Jan 16 03:45:07 host sshd: ${'x'.repeat(BYTES)}\n`;
  const [lines, told]: [string[], string[]] = [[], []];
  let after = before;
  for (let index = 1; index <= RECORDS; index++) {
    const action = index === RECORDS ? OWN_ACTIONS.segmentEnd : 'file.warning';
    const details = { message: 'y'.repeat(BYTES) };
    const entry = {
      action,
      actor: { kind: 'host', id: 'host' },
      outcome: 'done',
      details,
    } as const;
    const { line, head } = recordLine({ at: '2026-01-16T03:45:07.000Z', entry, after }, key);
    lines.push(`${line}\n`);
    told.push(noise, `octo-host: ${checkpointLine({ log: logIdOf(key), ...head })}\n`);
    after = head;
  }
  await using handle = await open(join(folder, segmentName(before.n + 1)), 'w');
  await handle.writeFile(lines.join(''));
  await kept.writeFile(told.join(''));
  return after;
}
