import { PluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { auditedRun } from '../../src/audit/audited-run.ts';
import { auditUnavailable } from '../../src/audit/audit-unavailable.ts';
import type { AuditEntry } from '../../src/audit/audit-trail.ts';
import { PipelineBench } from '../pipeline/pipeline-bench.ts';
import { MemoryTrail } from './log-bench.ts';

const never = new AbortController().signal;
const run = { pipeline: 'feed', actor: { kind: 'key', id: '7f3a' }, trace: 'run-1' } as const;

/** One run of a bench, written down in the trail. */
function audited(bench: PipelineBench, trail: MemoryTrail) {
  const { ledger, clock, logger } = bench;
  const place = { ledger, clock, logger, random: () => 0.5, spoolFolder: '' };
  return bench.drive(
    auditedRun(trail, run, place, never, (given, signal) =>
      bench.start({
        ledger: given.ledger,
        signal,
        ...(given.onEvent && { onEvent: given.onEvent }),
      }),
    ),
  );
}

function about(trail: MemoryTrail, action: string): AuditEntry | undefined {
  return trail.entries.find((one) => one.action === action);
}

test('a run is written down from its beginning to its end: connection, listing, each download, each delivery, what was cleaned', async () => {
  await using bench = await PipelineBench.open();
  bench.vendor.afterCommit = 'move';
  bench.vendor.publish('a.csv', 'aaaa');
  const trail = new MemoryTrail();
  await audited(bench, trail);
  expect(trail.actions()).toEqual([
    'run.begin',
    'vendor.connect',
    'vendor.list',
    'file.download',
    'file.deliver',
    'vendor.clean',
    'run.end',
  ]);
  for (const { actor, trace } of trail.entries)
    expect({ actor, trace }).toEqual({ actor: { kind: 'key', id: '7f3a' }, trace: 'run-1' });
  expect(about(trail, 'file.deliver')).toMatchObject({
    target: 'a.csv',
    details: { pipeline: 'feed', key: 'in/a.csv', bytes: 4, attempt: 1 },
  });
  expect(about(trail, 'file.deliver')?.details?.['sha256']).toMatch(/^[0-9a-f]{64}$/);
  expect(about(trail, 'vendor.clean')?.details?.['location']).toContain('archive/');
});

test('what was set aside, what came twice, and what failed is written down with its reason', async () => {
  await using bench = await PipelineBench.open({ duplicates: 'pipeline' });
  bench.vendor.publish('empty.csv', '');
  bench.vendor.publish('a.csv', 'same');
  bench.vendor.publish('b.csv', 'same');
  bench.vendor.publish('broken.csv', 'xxxx');
  bench.vendor.onChunk = ({ path }) => {
    if (path === 'broken.csv') throw new PluginError('auth', 'no right to read it');
  };
  const trail = new MemoryTrail();
  await audited(bench, trail);
  expect(about(trail, 'file.quarantine')).toMatchObject({ target: 'empty.csv' });
  expect(about(trail, 'file.quarantine')?.details?.['reason']).toMatch(/^[A-Z_]+/);
  expect(about(trail, 'file.duplicate')).toMatchObject({ target: 'b.csv' });
  expect(about(trail, 'file.fail')).toMatchObject({ target: 'broken.csv', outcome: 'failed' });
});

test.each([
  ['a refused login', new PluginError('auth', 'no'), 'vendor.connect denied'],
  [
    'another host key',
    new PluginError('auth', 'no', { code: 'HOST_KEY_CHANGED' }),
    'vendor.host-key denied',
  ],
  ['no network', new PluginError('network', 'no route'), 'vendor.connect failed'],
])('%s at the vendor is a record of its own', async (_name, error, action) => {
  await using bench = await PipelineBench.open();
  bench.vendor.onConnect = () => {
    throw error;
  };
  const trail = new MemoryTrail();
  await expect(audited(bench, trail)).rejects.toBeInstanceOf(Error);
  expect(trail.actions()).toEqual(['run.begin', action, 'run.end failed']);
});

test('a run that cannot be written down does not begin, and asks the vendor for nothing', async () => {
  await using bench = await PipelineBench.open();
  const trail = new MemoryTrail();
  trail.failure = () => auditUnavailable('/audit', 'the disk is full; make room');
  await expect(audited(bench, trail)).rejects.toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
  expect(bench.vendor.connects).toBe(0);
});

test('when the trail fails in the middle, nothing more is moved at the vendor; the next run goes on', async () => {
  await using bench = await PipelineBench.open({ concurrency: 1 });
  bench.vendor.afterCommit = 'move';
  for (const name of ['a.csv', 'b.csv', 'c.csv']) bench.vendor.publish(name, `content of ${name}`);
  const trail = new MemoryTrail();
  trail.failure = ({ action }) =>
    action === 'file.deliver' ? auditUnavailable('/audit', 'the disk is full') : undefined;
  await expect(audited(bench, trail)).rejects.toMatchObject({ code: 'OCTO_AUDIT_UNAVAILABLE' });
  expect([...bench.vendor.files.keys()]).toEqual(['a.csv', 'b.csv', 'c.csv']);
  trail.failure = undefined;
  await audited(bench, trail);
  expect(Object.keys(bench.visible()).toSorted()).toEqual(['in/a.csv', 'in/b.csv', 'in/c.csv']);
  expect([...bench.vendor.files.keys()].every((path) => path.startsWith('archive/'))).toBe(true);
  expect(trail.actions().filter((action) => action === 'vendor.clean')).toHaveLength(3);
});
