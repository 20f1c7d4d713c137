import { RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { structuredEventLog, textEventLog } from '../../src/cli/event-log.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { testEnvironment } from './test-environment.ts';

const hint = (path: string) => `octo-host files show ${path}`;
const refused = { path: 'c.csv', reason: 'TAMPERED: changed on its way' };

const run = {
  pipeline: 'affirm',
  run: 'run-1',
  trace: '0af7651916cd43dd8448eb211c80319c',
  from: 'vendor',
  to: 'lake',
};

test('people read time, pipeline and what happened, and how to learn more', () => {
  const environment = testEnvironment();
  const log = textEventLog(environment, hint);
  log.event(run, { event: 'connecting' });
  log.event(run, { event: 'listed', files: 2, bytes: 1000, toDeliver: 1 });
  log.event(run, { event: 'quarantined', ...refused });
  log.finished(run, { ...emptyReport('affirm'), quarantined: [refused] }, 1234);
  expect(environment.stderr.lines).toEqual([
    '03:45:00 affirm 2 files at the vendor, 1 to deliver (1.00 kB)',
    '03:45:00 affirm refused c.csv: TAMPERED: changed on its way',
    '03:45:00 affirm 1 refused, in 1.2 s',
    '03:45:00 affirm why, and what to do: octo-host files show c.csv',
  ]);
});

test('run after run without anything new is told once', () => {
  const environment = testEnvironment();
  const log = textEventLog(environment, hint);
  for (let i = 0; i < 3; i++) {
    log.event(run, { event: 'listed', files: 2, bytes: 1000, toDeliver: 0 });
    log.finished(run, emptyReport('affirm'), 50);
  }
  expect(environment.stderr.lines).toEqual(['03:45:00 affirm nothing new, in 0.1 s']);
});

test('programs read the same as fields; a refused file is an error', () => {
  const logger = new RecordingLogger();
  const log = structuredEventLog(logger);
  log.event(run, { event: 'read', path: 'a', bytes: 1 });
  log.event(run, { event: 'quarantined', ...refused });
  log.finished(run, { ...emptyReport('affirm'), discovered: 2, quarantined: [refused] }, 1234.5);
  const { from: instance, to: _, ...names } = run;
  expect(logger.entries).toMatchObject([
    { level: 'error', message: 'file quarantined', fields: { ...names, instance, ...refused } },
    {
      level: 'info',
      message: 'run finished',
      fields: { ...names, instance, discovered: 2, quarantined: 1, delivered: 0 },
    },
  ]);
});
