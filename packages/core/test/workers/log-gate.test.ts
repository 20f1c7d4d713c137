import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { LogGate } from '../../src/workers/log-gate.ts';

const MOST = 3;

function opened() {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const gate = new LogGate(clock, MOST, logger, () => logger);
  const says = (count: number) => {
    for (let n = 0; n < count; n++) gate.hear(['run', 'info', { n }, 'again']);
  };
  return { clock, logger, gate, says };
}

test('of the lines of a second so many pass, and of the others the number', async () => {
  const { clock, logger, gate, says } = opened();
  says(10);
  await clock.advance(999);
  says(10);
  expect(logger.messages()).toEqual(Array.from({ length: MOST }, () => 'again'));
  await clock.advance(1);
  says(1);
  gate.close();
  const dropped = { message: 'log lines were dropped: there were too many', fields: { lines: 17 } };
  expect(logger.entries.slice(MOST)).toMatchObject([dropped, { message: 'again' }]);
});

test('what is printed counts like what is logged', async () => {
  const { logger, gate, says } = opened();
  const output = new PassThrough();
  gate.follow(output);
  says(MOST - 1);
  output.write('one\ntwo\nthree\n');
  await turn();
  gate.close();
  expect(logger.entries.slice(MOST - 1)).toMatchObject([
    { fields: { text: 'one' } },
    { fields: { lines: 2 } },
  ]);
});
