import { readFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { auditKeyFile, readAuditKey } from '../../src/audit/audit-key.ts';
import { type Checkpoint, checkpointsIn, logIdOf } from '../../src/audit/checkpoint.ts';
import { CHECKPOINT_FILE } from '../../src/audit/checkpoint-place.ts';
import { KeepCheckpoints } from '../../src/audit/keep-checkpoints.ts';
import { auditFolder, openAudit } from '../../src/audit/open-audit.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { verifyAudit } from '../../src/audit/verify-audit.ts';
import { entry, filesOf, folderOfTest, key } from './log-bench.ts';

const mac = 'a'.repeat(64);

function keeping(put: (checkpoint: Checkpoint) => Promise<void>) {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const place = { name: 'elsewhere', put };
  const keeper = new KeepCheckpoints({ place, log: logIdOf(key), clock, logger });
  onTestFinished(() => keeper[Symbol.asyncDispose]());
  return { keeper, clock, logger };
}

test('a checkpoint goes out with the first record, each minute in which the log has grown, each thousand records, and at the end', async () => {
  const kept: number[] = [];
  const { keeper, clock } = keeping(async ({ n }) => void kept.push(n));
  keeper.grown({ n: 1, mac });
  keeper.grown({ n: 7, mac });
  await clock.advance(59_000);
  expect(kept).toEqual([1]);
  await clock.advance(1000);
  expect(kept).toEqual([1, 7]);
  await clock.advance(60_000);
  expect(kept).toEqual([1, 7]);
  keeper.grown({ n: 1006, mac });
  keeper.grown({ n: 1007, mac });
  keeper.grown({ n: 1009, mac });
  await keeper[Symbol.asyncDispose]();
  expect(kept).toEqual([1, 7, 1007, 1009]);
});

test('a place that does not answer is told of once, and tried again', async () => {
  let isThere = false;
  const kept: number[] = [];
  const { keeper, clock, logger } = keeping(async ({ n }) => {
    if (!isThere) throw new Error('no route');
    kept.push(n);
  });
  for (let n = 1; n <= 3; n++) {
    keeper.grown({ n, mac });
    await clock.advance(60_000);
  }
  isThere = true;
  keeper.grown({ n: 4, mac });
  await clock.advance(60_000);
  expect(kept).toEqual([4]);
  expect(logger.entries.map(({ message }) => message)).toEqual([
    'audit checkpoint could not be kept',
    'audit checkpoints are kept again',
  ]);
});

test('records that are cut off at the end are missed by a checkpoint in another folder', async () => {
  const [stateFolder, outside] = [await folderOfTest(), await folderOfTest()];
  const options = { stateFolder, clock: systemClock, logger: new RecordingLogger() };
  const redact = (text: string) => text;
  const audit = await openAudit({ ...options, redact, checkpoint: `file:${outside}` });
  for (let index = 0; index < 5; index++) await audit.record(entry('file.deliver', { index }));
  await audit[Symbol.asyncDispose]();
  const ownKey = (await readAuditKey(auditKeyFile(stateFolder)))!;
  const text = await readFile(join(outside, CHECKPOINT_FILE), 'utf8');
  const known = checkpointsIn(text, logIdOf(ownKey));
  const folder = auditFolder(stateFolder);
  expect(await verifyAudit(folder, ownKey, known)).toMatchObject({ records: 5, provenTo: 5 });
  const [[name, content] = ['', Buffer.alloc(0)]] = await filesOf(folder);
  await truncate(join(folder, name), content.lastIndexOf('\n', content.length - 2) + 1);
  expect((await verifyAudit(folder, ownKey)).bad).toBeUndefined();
  expect((await verifyAudit(folder, ownKey, known)).bad).toMatchObject({ n: 5 });
});

test('known secrets do not reach the file, and a log without its key is not gone on with', async () => {
  const stateFolder = await folderOfTest();
  const options = { stateFolder, clock: systemClock, logger: new RecordingLogger() };
  const redact = (text: string) => text.replaceAll('hunter2', '[redacted]');
  const audit = await openAudit({ ...options, redact });
  await audit.record({ ...entry('x', { reason: 'login with hunter2' }), target: 'hunter2' });
  await audit[Symbol.asyncDispose]();
  const [content = Buffer.alloc(0)] = (await filesOf(auditFolder(stateFolder))).values();
  expect(content.toString()).toContain('login with [redacted]');
  expect(content.toString()).not.toContain('hunter2');
  await rename(auditKeyFile(stateFolder), `${auditKeyFile(stateFolder)}.away`);
  await expect(openAudit({ ...options, redact })).rejects.toThrow(/is gone; restore it/);
});
