import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { checkpointsIn, logIdOf } from '../../src/audit/checkpoint.ts';
import { checkpointPlace } from '../../src/audit/checkpoint-place.ts';
import { KeepCheckpoints } from '../../src/audit/keep-checkpoints.ts';
import { openAudit } from '../../src/audit/open-audit.ts';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { verifyAudit } from '../../src/audit/verify-audit.ts';
import { entry, folderOfTest, key, openLog } from './log-bench.ts';

const mac = 'ab'.repeat(32);

test('the first record, every thousandth, every minute that brought some and the end are kept outside', async () => {
  const kept: number[] = [];
  const clock = new ManualClock();
  const place = { name: 'memory', put: async ({ n }: { n: number }) => void kept.push(n) };
  const log = logIdOf(key);
  const keeping = new KeepCheckpoints({ place, log, clock, logger: new RecordingLogger() });
  for (const n of [1, 2, 999, 1001, 1500]) keeping.grown({ n, mac });
  await clock.untilSleeping();
  await clock.advance(60_000);
  await clock.untilSleeping();
  await clock.advance(60_000);
  keeping.grown({ n: 1501, mac });
  await keeping[Symbol.asyncDispose]();
  expect(kept).toEqual([1, 1001, 1500, 1501]);
});

test('a place that does not answer is told of once, and when it does again', async () => {
  const logger = new RecordingLogger();
  let works = false;
  const put = async () => {
    if (!works) throw new Error('gone');
  };
  const clock = new ManualClock();
  const place = { name: 'syslog', put };
  const keeping = new KeepCheckpoints({ place, log: '', clock, logger });
  keeping.grown({ n: 1, mac });
  keeping.grown({ n: 1001, mac });
  await clock.untilSleeping();
  keeping.grown({ n: 1002, mac });
  await clock.advance(60_000);
  works = true;
  keeping.grown({ n: 2002, mac });
  await keeping[Symbol.asyncDispose]();
  expect(logger.messages()).toEqual([
    'audit checkpoint could not be kept',
    'audit checkpoints are kept again',
  ]);
});

test('a syslog server gets the line as RFC 5424 has it', async () => {
  const server = createSocket('udp4');
  onTestFinished(() => void server.close());
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const heard = once(server, 'message');
  const place = checkpointPlace(`udp://127.0.0.1:${server.address().port}`);
  await place.put({ log: logIdOf(key), n: 12, mac }, new AbortController().signal);
  const text = String(((await heard) as [Buffer])[0]);
  expect(text).toBe(
    `<85>1 - - octo-host - audit - octo-audit-checkpoint log=${logIdOf(key)} n=12 mac=${mac}`,
  );
  expect(checkpointsIn(`Jan 16 03:45:07 host ${text}\n`, logIdOf(key))).toEqual([
    { log: logIdOf(key), n: 12, mac },
  ]);
  expect(checkpointsIn(text, 'f'.repeat(16))).toEqual([]);
});

test.each([
  'syslog',
  'file:relative',
  'file:relative/folder',
  'udp://',
  'udp://host:99999',
  'http://host',
  'https://host',
  'file:',
  'syslog+tls://',
  'syslog+tls://host:0',
  'syslog+tls://host:65536',
  'syslog+tls://host?plaintext=allowed',
  'syslog+tcp://user@host',
  'syslog+udp://host',
])('the place "%s" is refused with the spellings that there are', (setting) => {
  expect(() => checkpointPlace(setting)).toThrow(/file:\/absolute\/folder, syslog:, syslog\+tls:/);
});

test('an opened log keeps its checkpoints in the folder that is named, and they prove its end', async () => {
  const stateFolder = await folderOfTest();
  const outside = join(await folderOfTest(), 'elsewhere');
  const options = {
    stateFolder,
    clock: new ManualClock(),
    logger: new RecordingLogger(),
    redact: (text: string) => text.replaceAll('hunter2', '[secret]'),
    checkpoint: `file:${outside}`,
  };
  {
    await using trail = await openAudit(options);
    for (let index = 0; index < 3; index++)
      await trail.record({ ...entry('secret.use', { why: 'hunter2' }), target: 'hunter2' });
  }
  const ownKey = (await readAuditKey(join(stateFolder, 'audit.key')))!;
  const folder = join(stateFolder, 'audit');
  const text = await readFile(join(folder, '000000000001.jsonl'), 'utf8');
  expect(text).not.toContain('hunter2');
  const kept = join(outside, 'octo-audit-checkpoints');
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
  const checkpoints = checkpointsIn(await readFile(kept, 'utf8'), logIdOf(ownKey));
  expect(checkpoints.map(({ n }) => n)).toEqual([1, 3]);
  const lines = text.split('\n');
  await writeFile(join(folder, '000000000001.jsonl'), `${lines[0]}\n${lines[1]}\n`);
  expect((await verifyAudit(folder, ownKey)).bad).toBeUndefined();
  expect((await verifyAudit(folder, ownKey, checkpoints)).bad).toMatchObject({ n: 3 });
});

test('a log whose key is gone is not gone on with under another', async () => {
  const stateFolder = await folderOfTest();
  const options = {
    stateFolder,
    clock: new ManualClock(),
    logger: new RecordingLogger(),
    redact: (text: string) => text,
  };
  const trail = await openAudit(options);
  await trail.record(entry('a'));
  await rm(join(stateFolder, 'audit.key'));
  await expect(openAudit(options)).rejects.toThrow(/the key of the audit log, .* is gone/);
});

test('a log in the way of which something stands is unavailable, and says so', async () => {
  const folder = join(await folderOfTest(), 'audit');
  await writeFile(folder, '');
  await expect(openLog(folder)).rejects.toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
  await rm(folder);
  await mkdir(folder);
  await chmod(folder, 0o700);
  await (await openLog(folder)).record(entry('a'));
});
