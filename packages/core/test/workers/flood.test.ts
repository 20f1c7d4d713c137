import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { inspectionGround } from '../../src/workers/ground.ts';
import { WORKER_LIMITS } from '../../src/workers/worker-limits.ts';
import { WorkerProcess } from '../../src/workers/worker-process.ts';

const SECOND = 1000;
/** More than a worker may write too much in. */
const SECONDS = 12;

test('a worker that writes more than it may is read no faster, and ended when it goes on', async () => {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const worker = new WorkerProcess({
    ground: inspectionGround([]),
    memoryBytes: WORKER_LIMITS.inspectionMemory,
    // Every message is more than that. It is not looked at meanwhile: only pauses are waited for here.
    limits: { ...WORKER_LIMITS, messageBytes: 1, lookMs: 3600 * SECOND },
    clock,
    logger,
    loggerOf: () => logger,
    answers: {},
    hears: {},
  });
  onTestFinished(() => worker.kill('the test is over'));
  await worker.ready();
  let answered = 0;
  const asked = Array.from({ length: SECONDS }, () =>
    worker.ask('describe', ['nothing', '/nowhere']).catch(() => void (answered += 1)),
  );
  for (let second = 1; second < SECONDS && !worker.hasEnded; second++) {
    // Of the look, and of the pause that the next message brings.
    await clock.untilSleeping(2);
    expect(answered).toBeLessThan(second);
    await clock.advance(SECOND);
  }
  expect(await worker.ended).toBe('floods its host with messages');
  await Promise.all(asked);
});
