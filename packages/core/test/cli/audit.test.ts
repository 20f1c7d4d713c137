import { PluginError } from '@octo/plugin-api';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { auditUnavailable } from '../../src/audit/audit-unavailable.ts';
import { checkpointLine, logIdOf } from '../../src/audit/checkpoint.ts';
import { noAudit } from '../../src/audit/audit-trail.ts';
import { rooms } from '../../src/cli/rooms.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost, testEnvironment } from './test-environment.ts';

/** A site after one run that could not reach its vendor, with a real audit log. */
async function audited() {
  const { environment, folder, ledger } = await site(goodManifest);
  const noRoute = async () => {
    throw new PluginError('network', 'no route');
  };
  const real = {
    ...environment,
    rooms: { ...withRuns(environment.rooms, noRoute), openAudit: rooms.openAudit },
    env: { SUDO_USER: 'ada' },
  };
  await octoHost(['run', 'trades'], real);
  const call = (...argv: string[]) =>
    octoHost(argv, {
      ...testEnvironment({ cwd: folder, rooms: real.rooms, env: real.env }),
    });
  const file = join(folder, '.octo', 'audit', '000000000001.jsonl');
  return { call, file, ledger, folder };
}

test('a run by hand is in the log, under the name of who asked', async () => {
  const { call } = await audited();
  const { code, stdout } = await call('audit', 'show');
  expect(code).toBe(0);
  expect(stdout.lines.map((line) => line.split(/ {2,}/).slice(2, 5).join(' | '))).toEqual([
    'who | what | outcome',
    'operator:ada | run.begin | done',
    'operator:ada | vendor.connect | failed',
    'operator:ada | run.end | failed',
  ]);
});

test('filters take what they name, by action, actor, outcome, time and target', async () => {
  const { call } = await audited();
  const shown = async (...argv: string[]) =>
    (
      JSON.parse((await call('audit', 'show', '--json', ...argv)).stdout.text) as {
        records: { action: string }[];
      }
    ).records.map(({ action }) => action);
  expect(await shown('--action', 'run.*')).toEqual(['run.begin', 'run.end']);
  expect(await shown('--only', 'done')).toEqual(['run.begin']);
  expect(await shown('--actor', 'host')).toEqual([]);
  expect(await shown('--since', '2030-01-01')).toEqual([]);
  expect(await shown('trades', '--limit', '1')).toEqual(['run.end']);
  expect(await shown('tr*s', '--since', '2026-01-01')).toHaveLength(3);
  expect((await call('audit', 'show', '--only', 'maybe')).code).toBe(2);
  expect((await call('audit', 'show', '--since', 'yesterday')).code).toBe(2);
});

test('export is one JSON object a line, and each still has its code', async () => {
  const { call, file } = await audited();
  const { stdout } = await call('audit', 'export');
  const written = (await readFile(file, 'utf8')).trim().split('\n');
  expect(stdout.lines.map((line) => JSON.parse(line))).toEqual(
    written.map((line) => JSON.parse(line)),
  );
});

test('verify says that a log is whole, what it cannot know, and with exit code 1 where somebody changed it', async () => {
  const { call, file } = await audited();
  const whole = await call('audit', 'verify');
  expect(whole.code).toBe(0);
  expect(whole.stdout.lines).toEqual([
    'the audit log is whole: 3 records in 1 file',
    'from 2026-01-16T03:45:00.000Z to 2026-01-16T03:45:00.000Z',
    'no checkpoints: records that were cut off at the end would not be missed (--checkpoints FILES)',
  ]);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"failed"', '"done"'));
  const changed = await call('audit', 'verify');
  expect(changed.code).toBe(1);
  expect(changed.stdout.text).toContain(
    'the audit log was changed: record 2 (000000000001.jsonl:2): the line is not as it was written',
  );
  const { stdout, code } = await call('audit', 'verify', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout.text)).toMatchObject({ ok: false, bad: { n: 2, line: 2 } });
});

/** The same, with the checkpoint of each record in a file of its own, as logs that are turned over have them. */
async function checkpointed() {
  const made = await audited();
  const log = logIdOf((await readAuditKey(join(made.folder, '.octo', 'audit.key')))!);
  const lines = (await readFile(made.file, 'utf8')).trim().split('\n');
  const told = lines.map((line) => {
    const { n, mac } = JSON.parse(line) as AuditRecord;
    return `Jan 16 03:45:07 host octo-host: ${checkpointLine({ log, n, mac })}\n`;
  });
  await writeFile(join(made.folder, 'syslog'), told[2]!);
  await writeFile(join(made.folder, 'syslog.1'), told[1]!);
  await writeFile(join(made.folder, 'syslog.2.gz'), gzipSync(told[0]!));
  return { ...made, lines, told };
}

test.each(['syslog,syslog.1,syslog.2.gz', 'syslog.2.gz,syslog,syslog.1', 'sys*'])(
  'checkpoints are taken from the files %s, in whatever order',
  async (files) => {
    const { call, file, lines } = await checkpointed();
    const { code, stdout } = await call('audit', 'verify', '--checkpoints', files);
    expect(code).toBe(0);
    expect(stdout.lines.at(-1)).toBe('3 checkpoints agree: nothing is missing up to record 3');
    await writeFile(file, `${lines.slice(0, 2).join('\n')}\n`);
    const cut = await call('audit', 'verify', '--checkpoints', files);
    expect(cut.code).toBe(1);
    expect(cut.stdout.text).toContain(
      'a checkpoint knows record 3: the end of the log was cut off',
    );
  },
);

test('two files that know another record of one number are a contradiction, whichever comes first', async () => {
  const { call, folder, told } = await checkpointed();
  await writeFile(join(folder, 'other'), told[1]!.replace(/mac=.{8}/, 'mac=00000000'));
  for (const files of ['sys*,other', 'other,sys*']) {
    const { code, stdout } = await call('audit', 'verify', '--checkpoints', files);
    expect(code).toBe(1);
    expect(stdout.text).toContain('record 2 (000000000001.jsonl:2): a checkpoint knows another');
  }
});

test.each([
  ['sis*', "no file matches --checkpoints '"],
  ['syslog,syslog.3', 'syslog.3 cannot be read (ENOENT)'],
  ['syslog,syslog.3.gz', 'syslog.3.gz cannot be read (ENOENT)'],
])('checkpoints in %s are refused: no place is left out by a slip', async (files, message) => {
  const { call } = await checkpointed();
  const { code, stderr } = await call('audit', 'verify', '--checkpoints', files);
  expect(code).toBe(2);
  expect(stderr.text).toContain(message);
});

test('a file is not released from quarantine while that cannot be written down', async () => {
  const { environment, ledger } = await site(goodManifest);
  const version = {
    path: 'in/b.csv',
    name: 'b.csv',
    size: 1,
    mtimeMs: 0,
    location: 'in/b.csv',
    key: 'b.csv',
  };
  const scope = { pipeline: 'trades', sink: 'memory://lake' };
  await ledger.discover(scope, [version]);
  const wanted = { leaseMs: 1000, keyAt: (key: string) => key, onReissue: 'version' } as const;
  const quarantined = await ledger.claim({ ...scope, ...wanted });
  await ledger.exit(quarantined!, 'QUARANTINED', 'TAMPERED: changed');
  const full = {
    ...noAudit,
    record: async () => {
      throw auditUnavailable('/audit', 'the disk is full; make room');
    },
  };
  const refusing = {
    ...environment,
    rooms: { ...environment.rooms, openAudit: async () => full },
  };
  const { code, stderr } = await octoHost(['files', 'release', 'b.csv'], refusing);
  expect(code).toBe(1);
  expect(stderr.text).toContain('OCTO_AUDIT_UNAVAILABLE');
  expect((await ledger.find(quarantined!.id))?.state).toBe('QUARANTINED');
  await octoHost(['files', 'release', 'b.csv'], environment);
  expect((await ledger.find(quarantined!.id))?.state).toBe('DISCOVERED');
});
