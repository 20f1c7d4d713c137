import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/pipeline/run-report.ts';
import type { Step } from '../../src/pipeline/step.ts';
import { addTimes, StepWatch } from '../../src/pipeline/step-watch.ts';
import { PipelineBench } from './pipeline-bench.ts';

const second = 1000;

/** Thinks about each chunk for a while, and hands it on twice. */
function slow(name: string, ms: number): Step {
  return {
    name,
    rename: (file) => file,
    provesIntegrity: () => true,
    async *run({ name: file, bytes }, { clock }) {
      async function* twice() {
        for await (const chunk of bytes) {
          await clock.sleep(ms);
          yield Buffer.concat([chunk, chunk]);
        }
      }
      yield { name: file, bytes: twice() };
    },
  };
}

function timesOf(events: readonly RunEvent[], event: 'delivered' | 'failed' | 'quarantined') {
  const found = events.find((one) => one.event === event) as Extract<
    RunEvent,
    { event: typeof event }
  >;
  return found.times!;
}

test('each file tells where its time went, each step without the one before it', async () => {
  await using bench = await PipelineBench.open();
  bench.vendor.chunkBytes = 8;
  bench.vendor.onChunk = (file, offset) => bench.clock.sleep(offset < file.size ? 2 * second : 0);
  bench.vendor.onConnect = () => bench.clock.sleep(4 * second);
  bench.steps = [slow('decrypt', 3 * second), slow('verify', second)];
  bench.vendor.publish('a.csv', 'sixteen bytes 16');
  await bench.run();
  const { ms, steps } = timesOf(bench.events, 'delivered');
  const found = Object.fromEntries(steps.map(({ step, ...rest }) => [step, rest]));
  expect(Object.keys(found)).toEqual(['download', 'decrypt', 'verify', 'hash', 'stage', 'commit']);
  expect(found['download']).toMatchObject({ ms: 4 * second, bytesIn: 16, bytesOut: 16 });
  expect(found['decrypt']).toMatchObject({ ms: 6 * second, bytesIn: 16, bytesOut: 32 });
  expect(found['verify']).toMatchObject({ ms: 2 * second, bytesIn: 32, bytesOut: 64 });
  expect(found['stage']).toMatchObject({ ms: 0, bytesIn: 64 });
  // They overlap: that nothing follows is asked for when the last chunk was verified.
  expect(found['download']!.toMs - found['download']!.fromMs).toBe(12 * second);
  expect(ms).toBeGreaterThanOrEqual(12 * second);
  expect(bench.events).toContainEqual({
    event: 'listed',
    files: 1,
    bytes: 16,
    toDeliver: 1,
    connectMs: 4 * second,
    listMs: 0,
  });
});

test('a file that failed on the way tells how far it came', async () => {
  await using bench = await PipelineBench.open();
  bench.steps = [
    {
      ...slow('verify', second),
      run: () => {
        throw new TypeError('a defect');
      },
    },
  ];
  bench.vendor.publish('a.csv', 'never read');
  await bench.run();
  expect(timesOf(bench.events, 'failed').steps).toEqual([]);
});

test('what the host does alone is not counted to a step that reads ahead', async () => {
  const clock = new ManualClock();
  const watch = new StepWatch(clock, []);
  async function* vendor() {
    await clock.sleep(10 * second);
    yield Buffer.from('late');
  }
  const bytes = watch.source(vendor())[Symbol.asyncIterator]();
  const ahead = bytes.next();
  await clock.advance(second);
  const writing = watch.during('stage', 4, () => clock.sleep(3 * second));
  await clock.advance(3 * second);
  await writing;
  await clock.advance(6 * second);
  await ahead;
  const { steps } = watch.times();
  expect(steps.map(({ step, ms }) => [step, ms])).toEqual([
    ['download', 7 * second],
    ['stage', 3 * second],
  ]);
});

test('a consumer that stops in the middle releases what it read from', async () => {
  const released: string[] = [];
  async function* endless() {
    try {
      for (;;) yield Buffer.from('x');
    } finally {
      released.push('released');
    }
  }
  const watch = new StepWatch(new ManualClock(), []);
  for await (const _ of watch.source(endless())) break;
  expect(released).toEqual(['released']);
});

test('the files of a run are added up by step', () => {
  const step = { step: 'download', fromMs: 0, toMs: 9, ms: 1.5, bytesIn: 4, bytesOut: 4 };
  const file = { ms: 9, steps: [step] };
  expect([...addTimes(addTimes(new Map(), file), file).values()]).toEqual([
    { step: 'download', ms: 3, bytesIn: 8, bytesOut: 8 },
  ]);
});
