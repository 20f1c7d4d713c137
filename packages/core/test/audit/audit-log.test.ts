import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { auditKey } from '../../src/audit/audit-key.ts';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { verifyAudit, recordsOf } from '../../src/audit/verify-audit.ts';
import { entry, filesOf, folderOfTest, key, openLog } from './log-bench.ts';

const FIRST = '000000000001.jsonl';

async function allRecords(folder: string): Promise<AuditRecord[]> {
  return await Array.fromAsync(recordsOf(folder));
}

test('what was recorded stands in the file when record resolves, for its owner only', async () => {
  const folder = join(await folderOfTest(), 'audit');
  await using log = await openLog(folder);
  await log.record({
    ...entry('secret.set'),
    actor: { kind: 'key', id: '7f3a', address: '192.0.2.7' },
    target: 'affirm-ssh',
    trace: 'run-1',
  });
  const [line = ''] = (await filesOf(folder)).get(FIRST)!.toString('utf8').split('\n');
  expect(JSON.parse(line)).toMatchObject({
    n: 1,
    action: 'secret.set',
    actor: { kind: 'key', id: '7f3a', address: '192.0.2.7' },
    target: 'affirm-ssh',
    outcome: 'done',
    trace: 'run-1',
    prev: '0'.repeat(64),
  });
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, FIRST))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'lock'))).mode & 0o777).toBe(0o600);
});

test('many records at once keep their order, fill one file after the other, and are whole', async () => {
  const folder = await folderOfTest();
  const log = await openLog(folder, { segmentRecords: 40 });
  await Promise.all(Array.from({ length: 500 }, (_, index) => log.record(entry('a', { index }))));
  await log[Symbol.asyncDispose]();
  const verdict = await verifyAudit(folder, key);
  expect(verdict.bad).toBeUndefined();
  expect(verdict.segments).toBe(13);
  const indices = (await allRecords(folder)).map(({ details }) => details?.['index']);
  expect(indices.filter((one) => one !== undefined)).toEqual([...Array(500).keys()]);
  const last = [...(await filesOf(folder)).values()].map((file) => file.toString('utf8'));
  for (const file of last.slice(0, -1))
    expect(file.trimEnd().split('\n').at(-1)).toContain('audit.segment-end');
});

test('text that tricks terminals stands in the file as plain signs, and is the same when it is read', async () => {
  const folder = await folderOfTest();
  const target = 'a\u202Egpj.exe\u001B[2J\n{"n":7}\u{E0041}';
  await using log = await openLog(folder);
  await log.record({ ...entry('file.deliver'), target });
  const raw = (await filesOf(folder)).get(FIRST)!.toString('utf8');
  expect(raw).toMatch(/^[\x20-\x7e]+\n$/);
  expect((await allRecords(folder))[0]?.target).toBe(target);
  expect((await verifyAudit(folder, key)).bad).toBeUndefined();
});

test('a second process goes on where the first one stands, in turns', async () => {
  const folder = await folderOfTest();
  const one = await openLog(folder, { segmentRecords: 25 });
  const other = await openLog(folder, { segmentRecords: 25 });
  for (let index = 0; index < 30; index++) {
    await one.record(entry('one'));
    await Promise.all([other.record(entry('other')), one.record(entry('one'))]);
  }
  const verdict = await verifyAudit(folder, key);
  expect(verdict.bad).toBeUndefined();
  const actions = (await allRecords(folder)).map(({ action }) => action);
  expect(actions.filter((action) => action === 'one')).toHaveLength(60);
  expect(actions.filter((action) => action === 'other')).toHaveLength(30);
});

test('four processes that write as fast as they can, two of them killed, lose nothing that was promised', async () => {
  const folder = await folderOfTest();
  const children = [0, 1, 2, 3].map(() => writer(folder));
  const promised = await Promise.all(
    children.map(async ({ until, kill }, index) => {
      const count = await until(60);
      if (index < 2) await kill();
      return count;
    }),
  );
  await Promise.all(children.map(({ kill }) => kill()));
  // What a killed one left half written is closed by the next record.
  const log = await openLog(folder);
  await log.record(entry('after'));
  const verdict = await verifyAudit(folder, key);
  expect(verdict.bad).toBeUndefined();
  const found = (await allRecords(folder)).map(({ details }) => `${details?.['pid']}`);
  for (const [index, { pid }] of children.entries())
    expect(found.filter((one) => one === `${pid}`).length).toBeGreaterThanOrEqual(promised[index]!);
});

test.each([1, 40, 250])(
  'half a line of %d bytes, as a crash leaves it, is closed by a record of its own',
  async (bytes) => {
    const folder = await folderOfTest();
    const before = await openLog(folder);
    for (let index = 0; index < 3; index++) await before.record(entry('before', { index }));
    const { size } = await stat(join(folder, FIRST));
    const whole = (await filesOf(folder)).get(FIRST)!;
    await appendFile(join(folder, FIRST), whole.subarray(0, bytes));
    expect(await verifyAudit(folder, key)).toMatchObject({ records: 3, openBytes: bytes });
    const after = await openLog(folder);
    await after.record(entry('after'));
    const verdict = await verifyAudit(folder, key);
    expect(verdict).toMatchObject({ records: 5, torn: [4], openBytes: 0 });
    expect(verdict.bad).toBeUndefined();
    expect((await allRecords(folder)).map(({ action }) => action)).toEqual([
      'before',
      'before',
      'before',
      'audit.torn-line',
      'after',
    ]);
    expect((await filesOf(folder)).get(FIRST)!.subarray(0, size)).toEqual(whole);
  },
);

test('a crash in the middle of closing a crash, and one at the start of a file, are closed as well', async () => {
  const folder = await folderOfTest();
  await (await openLog(folder, { segmentRecords: 3 })).record(entry('one'));
  await appendFile(join(folder, FIRST), '{"half');
  await appendFile(join(folder, FIRST), '\n{"action":"audit.torn-line","half');
  const log = await openLog(folder, { segmentRecords: 3 });
  await log.record(entry('two'));
  expect(await verifyAudit(folder, key)).toMatchObject({ torn: [2] });
  const names = [...(await filesOf(folder)).keys()];
  const next = `${String((await allRecords(folder)).length + 1).padStart(12, '0')}.jsonl`;
  if (!names.includes(next)) await writeFile(join(folder, next), '{"half', { mode: 0o600 });
  await (await openLog(folder)).record(entry('three'));
  const verdict = await verifyAudit(folder, key);
  expect(verdict.bad).toBeUndefined();
  expect(verdict.torn).toHaveLength(2);
});

test('half a line that was changed after it was closed is found', async () => {
  const folder = await folderOfTest();
  await (await openLog(folder)).record(entry('one'));
  await appendFile(join(folder, FIRST), '{"half');
  await (await openLog(folder)).record(entry('two'));
  const whole = (await filesOf(folder)).get(FIRST)!.toString('utf8');
  for (const changed of [whole.replace('{"half', '{"halg'), whole.replace('{"half\n', '')]) {
    await writeFile(join(folder, FIRST), changed);
    expect((await verifyAudit(folder, key)).bad).toMatchObject({ n: 2 });
  }
});

test('what is longer than any record is wrong where it begins', async () => {
  const folder = await folderOfTest();
  const log = await openLog(folder);
  for (const action of ['one', 'two', 'three']) await log.record(entry(action));
  const [first = '', ...others] = (await readFile(join(folder, FIRST), 'utf8')).split('\n');
  await writeFile(join(folder, FIRST), [first, 'x'.repeat(3_000_000), ...others].join('\n'));
  const { records, bad } = await verifyAudit(folder, key);
  expect({ records, bad }).toMatchObject({ records: 1, bad: { n: 2, file: FIRST, line: 2 } });
});

test('a full disk is said in one line, nothing half-written stays, and it goes on when there is room', async () => {
  const folder = await folderOfTest();
  await mkdir(folder, { recursive: true });
  await symlink('/dev/full', join(folder, FIRST));
  const log = await openLog(folder);
  const failure = await log.record(entry('secret.set')).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
  expect((failure as Error).message).toMatch(
    /audit.* cannot be written: the disk is full; make room/,
  );
  await rm(join(folder, FIRST));
  await log.record(entry('secret.set'));
  expect(await verifyAudit(folder, key)).toMatchObject({ records: 1 });
});

test('a record of which only half fits on the disk leaves nothing of itself', async () => {
  const folder = await folderOfTest();
  // No file becomes longer than some thousand bytes: what goes beyond is refused in the middle of a line.
  const script = 'ulimit -f 9; exec "$0" "$@"';
  const child = spawn('sh', ['-c', script, process.execPath, ...writerArgs(folder)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const promised = text(child.stdout);
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(1);
  const verdict = await verifyAudit(folder, key);
  expect(verdict).toMatchObject({ openBytes: 0, torn: [] });
  expect(verdict.bad).toBeUndefined();
  expect(verdict.records).toBe((await promised).trim().split('\n').length);
});

test('a log from which records were taken while it is written to takes no more', async () => {
  const folder = await folderOfTest();
  const log = await openLog(folder);
  for (let index = 0; index < 4; index++) await log.record(entry('a'));
  const { size } = await stat(join(folder, FIRST));
  await truncate(join(folder, FIRST), size / 2);
  await expect(log.record(entry('b'))).rejects.toThrow(/has lost records: it ended with 4/);
});

test('a log whose end was not written with the key takes no more', async () => {
  const folder = await folderOfTest();
  await (await openLog(folder)).record(entry('a'));
  await writeFile(join(folder, FIRST), `${'x'.repeat(600_000)}\n`);
  await expect(openLog(folder)).rejects.toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
});

test('the key is made once, for its owner only, also by several at the same time', async () => {
  const file = join(await folderOfTest(), 'audit.key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => auditKey(file)));
  expect(new Set(keys.map((one) => one.toString('hex'))).size).toBe(1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await chmod(file, 0o640);
  await expect(auditKey(file)).rejects.toThrow(`chmod 600 '${file}'`);
});

function writerArgs(folder: string): string[] {
  const script = fileURLToPath(new URL('writer-process.ts', import.meta.url));
  const args = ['--conditions', 'octo-source', '--no-warnings', script, folder];
  return [...args, key.toString('hex')];
}

/** A process that records without end, and says how many were promised to it. */
function writer(folder: string) {
  const child = spawn(process.execPath, writerArgs(folder), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    pid: child.pid,
    kill,
    until: async (count: number) => {
      for await (const [line] of on(lines, 'line', { close: ['close'] }) as AsyncIterable<[string]>)
        if (Number(line) >= count) return Number(line);
      throw new Error('it ended before');
    },
  };
}
