import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import type { CatchUp } from '../../src/jobs/due-runs.ts';
import { scheduleOf } from '../../src/jobs/schedule.ts';
import { Scheduler, type Timed } from '../../src/jobs/scheduler.ts';
import { MemoryRunStore, type MemoryRuns } from './memory-runs.ts';

const minute = 60_000;
const hour = 60 * minute;
const every = (minutes: number) => ({
  schedule: undefined,
  timezone: 'UTC',
  everyMs: minutes * minute,
});
const nightly = { schedule: '45 3 * * *', timezone: 'UTC', everyMs: undefined };

class World {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 16));
  readonly logger = new RecordingLogger();
  readonly store = new MemoryRunStore(this.clock);

  timed(config: Parameters<typeof scheduleOf>[0], catchUp: CatchUp = 'last'): Timed {
    return { schedule: scheduleOf(config)!, catchUp, logger: this.logger };
  }

  /** A host that begins now; its scheduler goes on until it is stopped. */
  async host(name: string, timed: Record<string, Timed>) {
    const queue = this.store.host(name);
    await queue.arrive();
    const scheduler = new Scheduler({ queue, clock: this.clock, logger: this.logger });
    scheduler.follow(new Map(Object.entries(timed)));
    const stop = new AbortController();
    const ended = scheduler.keep(stop.signal);
    const end = async () => {
      stop.abort();
      await ended;
      await queue[Symbol.asyncDispose]();
    };
    onTestFinished(end);
    return { scheduler, queue, end };
  }

  /** Ends every queued run, and says of which pipeline and trigger it was. */
  async work(queue: MemoryRuns): Promise<string[]> {
    const done: string[] = [];
    for (const pipeline of ['a', 'b'])
      for (let run = await queue.take(pipeline, 9); run; run = await queue.take(pipeline, 9)) {
        await queue.end(run, { state: 'CANCELLED', by: 'test', timings: {} });
        done.push(`${pipeline} ${run.request.trigger}`);
      }
    return done;
  }
}

test('a period runs at once, then again and again; a cron schedule at its times only', async () => {
  const world = new World();
  const { queue } = await world.host('one', { a: world.timed(every(5)), b: world.timed(nightly) });
  await world.clock.advance(0);
  expect(await world.work(queue)).toEqual(['a schedule']);
  await world.clock.advance(5 * minute);
  expect(await world.work(queue)).toEqual(['a schedule']);
  await world.clock.advance(4 * hour);
  expect(await world.work(queue)).toEqual(['a schedule', 'b schedule']);
});

test('three hosts make one run of each time', async () => {
  const world = new World();
  const timed = { a: world.timed(every(5)) };
  const { queue } = await world.host('one', timed);
  await world.clock.advance(0);
  await world.host('two', timed);
  await world.host('three', timed);
  await world.clock.advance(0);
  expect(await world.work(queue)).toEqual(['a schedule']);
  const done: string[] = [];
  for (let count = 0; count < 6; count++) {
    await queue.beat([]);
    await world.clock.advance(5 * minute);
    done.push(...(await world.work(queue)));
  }
  expect(done).toHaveLength(6);
});

test('a time that comes before the last run is done is skipped and said, not queued', async () => {
  const world = new World();
  const { queue } = await world.host('one', { a: world.timed(every(5)) });
  await world.clock.advance(17 * minute);
  expect(await world.work(queue)).toEqual(['a schedule']);
  const skipped = world.logger.entries.filter(({ message }) => message.includes('skipped'));
  expect(skipped).toHaveLength(3);
  expect(skipped[0]).toMatchObject({ level: 'warn', fields: { due: '2026-01-16T00:05:00.000Z' } });
});

test.each([
  ['none', []],
  ['last', ['a catch-up']],
  ['all', ['a catch-up', 'a catch-up', 'a catch-up']],
] as const)('times that come while no host runs, with catchUp %s', async (catchUp, expected) => {
  const world = new World();
  const timed = { a: world.timed(nightly, catchUp) };
  const before = await world.host('one', timed);
  await world.clock.advance(0);
  await before.end();
  await world.clock.advance(72 * hour);
  const { queue } = await world.host('one', timed);
  await world.clock.advance(0);
  expect(await world.work(queue)).toEqual(expected);
});

test('an exchange leaves the same schedule alone and begins another anew', async () => {
  const world = new World();
  const { queue, scheduler } = await world.host('one', { a: world.timed(every(5)) });
  await world.clock.advance(3 * minute);
  await world.work(queue);
  scheduler.follow(new Map(Object.entries({ a: world.timed(every(5)), b: world.timed(every(2)) })));
  await world.clock.advance(0);
  expect(await world.work(queue)).toEqual(['b schedule']);
  await world.clock.advance(2 * minute);
  expect(await world.work(queue)).toEqual(['a schedule', 'b schedule']);
  scheduler.follow(new Map([['a', world.timed(every(7))]]));
  await world.clock.advance(0);
  expect(await world.work(queue)).toEqual(['a schedule']);
  await world.clock.advance(6 * minute);
  expect(await world.work(queue)).toEqual([]);
});

test('while the database does not answer, times are kept for later', async () => {
  const world = new World();
  const { queue } = await world.host('one', { a: world.timed(every(5)) });
  await world.clock.advance(0);
  await world.work(queue);
  let fails = 0;
  const due = queue.due.bind(queue);
  queue.due = async (times) => {
    if (fails++ < 3) throw new Error('no connection');
    return await due(times);
  };
  await world.clock.advance(5 * minute + 4000);
  expect(fails).toBe(4);
  expect(await world.work(queue)).toEqual(['a schedule']);
});
