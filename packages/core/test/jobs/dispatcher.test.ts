import { PluginError } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { emptyReport } from '../../src/cli/run-result.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import { Dispatcher, type DispatcherOptions } from '../../src/jobs/dispatcher.ts';
import type { RunRecord } from '../../src/jobs/runs.ts';
import { LeftAlone } from '../../src/resilience/left-alone.ts';
import type { RunReport } from '../../src/pipeline/run-report.ts';
import { MemoryRunStore } from './memory-runs.ts';

type Run = DispatcherOptions['run'];

const second = 1000;
const request = { pipeline: 'trades', trigger: 'api', by: 'key:1' } as const;
const report: RunReport = emptyReport('trades');
const times = {
  ms: 2000,
  steps: [{ step: 'download', fromMs: 0, toMs: 1950, ms: 1900, bytesIn: 4, bytesOut: 4 }],
};
const ends = async () => report;
/** Ends when it is told to. */
const stays: Run = async (_run, _tell, signal) => {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return await promise;
};

function world() {
  const clock = new ManualClock();
  return { clock, logger: new RecordingLogger(), store: new MemoryRunStore(clock) };
}

/** A host that works off what it is given, until it is stopped. */
function host(
  { clock, logger, store }: ReturnType<typeof world>,
  run: Run,
  concurrency = 1,
  onEnd: (run: RunRecord) => void = () => {},
  attempts?: number,
) {
  const queue = store.host('one');
  const dispatcher = new Dispatcher({
    queue,
    clock,
    logger,
    run,
    redact: (text) => text.replaceAll('hunter2', '[secret]'),
    random: () => 1 - Number.EPSILON,
    onEnd,
    graceMs: 30 * second,
    keepMs: 86_400_000,
  });
  dispatcher.serve(new Map([['trades', { concurrency, attempts, logger }]]));
  const stop = new AbortController();
  const ended = dispatcher.until(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(60 * second);
    await ended;
  });
  return { queue, stop, ended };
}

test('a request is worked off at once, with totals, files and timings', async () => {
  const here = world();
  const { queue } = host(here, async (_run, tell) => {
    tell({ event: 'listed', files: 2, bytes: 8, toDeliver: 2, connectMs: 400, listMs: 100 });
    await here.clock.sleep(2 * second);
    tell({ event: 'read', path: 'a', bytes: 4 });
    tell({ event: 'delivered', path: 'a', key: 'k', bytes: 4, delivery: 'd1', times });
    await here.clock.sleep(1 * second);
    const delivered = [{ path: 'a', key: 'k', bytes: 4, sha256: '' }];
    return { ...report, discovered: 2, delivered, pending: [{ path: 'b', reason: 'growing' }] };
  });
  const { id } = await queue.request(request);
  await here.clock.advance(2.5 * second);
  expect((await queue.find(id))?.progress).toEqual({
    filesToDeliver: 2,
    filesDone: 1,
    bytesToRead: 8,
    bytesRead: 4,
    bytesPerSecond: 16,
    secondsLeft: 1,
  });
  await here.clock.advance(1 * second);
  expect(await queue.find(id)).toMatchObject({
    state: 'SUCCEEDED',
    totals: { discovered: 2, delivered: 1, bytes: 4, pending: 1 },
    timings: { connect: 400, list: 100, deliver: 3000, total: 3000 },
    steps: [{ step: 'download', ms: 1900, bytesIn: 4, bytesOut: 4 }],
  });
  expect(await queue.files(id)).toEqual([
    { path: 'a', outcome: 'delivered', key: 'k', bytes: 4, delivery: 'd1', times },
    { path: 'b', outcome: 'pending', reason: 'growing' },
  ]);
});

test('a sink that is away fails the run, which is tried again; its totals are those of all tries', async () => {
  const here = world();
  let tries = 0;
  const { queue } = host(here, async () => {
    tries++;
    const delivered = tries === 1 ? [{ path: 'a', key: 'k', bytes: 4, sha256: '' }] : [];
    const away = { path: 'b', error: 'no route, said hunter2', unreachable: true, mayPass: true };
    return { ...report, discovered: 2, delivered, failed: [away] };
  });
  const { id } = await queue.request(request);
  await here.clock.advance(1 * second);
  expect(await queue.find(id)).toMatchObject({
    state: 'QUEUED',
    error: {
      code: 'OCTO_RUN_FILES_FAILED',
      message: 'a file failed, first b: no route, said [secret]',
    },
  });
  await here.clock.advance(70 * second);
  expect(tries).toBe(4);
  expect(await queue.find(id)).toMatchObject({
    state: 'FAILED',
    attempt: 4,
    totals: { discovered: 2, delivered: 1, bytes: 4, failed: 1 },
  });
});

test.each([
  ['failed', 'FAILED'],
  ['quarantined', 'SUCCEEDED'],
] as const)('a file that was %s, for good, makes the run %s at once', async (outcome, state) => {
  const here = world();
  const ended: RunRecord[] = [];
  const found = {
    failed: [{ path: 'b', error: 'no key for it', unreachable: false }],
    quarantined: [{ path: 'b', reason: 'TAMPERED: changed on its way' }],
  };
  const run: Run = async () => ({ ...report, discovered: 1, [outcome]: found[outcome] });
  const { queue } = host(here, run, 1, (one) => void ended.push(one));
  const { id } = await queue.request(request);
  await here.clock.advance(1 * second);
  expect(await queue.find(id)).toMatchObject({ state, attempt: 1, totals: { [outcome]: 1 } });
  expect(ended).toMatchObject([{ id, state }]);
});

test('runs of a pipeline go one after the other, or as many at a time as it allows', async () => {
  for (const [concurrency, expected] of [
    [1, 1],
    [3, 3],
  ] as const) {
    const here = world();
    let now = 0;
    let most = 0;
    const { queue } = host(
      here,
      async () => {
        most = Math.max(most, ++now);
        await here.clock.sleep(second);
        now--;
        return report;
      },
      concurrency,
    );
    for (let count = 0; count < 6; count++) await queue.request(request);
    await here.clock.advance(7 * second);
    expect((await queue.list({ states: ['SUCCEEDED'], limit: 10 })).runs).toHaveLength(6);
    expect(most).toBe(expected);
  }
});

test('a failure that may pass is tried again after growing pauses, four times in all', async () => {
  const here = world();
  const times: number[] = [];
  const { queue } = host(here, async () => {
    times.push(Math.round(here.clock.monotonic() / second));
    throw new PluginError('network', 'no route for hunter2');
  });
  const { id } = await queue.request(request);
  await here.clock.advance(200 * second);
  expect(times).toEqual([0, 5, 20, 65]);
  expect(await queue.find(id)).toMatchObject({
    state: 'FAILED',
    attempt: 4,
    error: { code: 'network', message: 'no route for [secret]' },
  });
});

test('a pipeline may have more attempts at a run, or a single one', async () => {
  for (const attempts of [1, 6]) {
    const here = world();
    const fails: Run = async () => await Promise.reject(new PluginError('network', 'no route'));
    const { queue } = host(here, fails, 1, () => {}, attempts);
    const { id } = await queue.request(request);
    await here.clock.advance(2000 * second);
    expect(await queue.find(id)).toMatchObject({ state: 'FAILED', attempt: attempts });
  }
});

test('who asks to be left alone for an hour is tried again after an hour', async () => {
  const here = world();
  const times: number[] = [];
  const { queue } = host(here, async () => {
    times.push(Math.round(here.clock.monotonic() / second));
    if (times.length > 1) return report;
    throw new PluginError('rate_limit', '429', { retryAfterMs: 3600 * second });
  });
  await queue.request(request);
  await here.clock.advance(3610 * second);
  expect(times).toEqual([0, 3600]);
});

test('a run that is put off waits as long as it takes, says why, and has used up no attempt', async () => {
  const here = world();
  let runs = 0;
  const { queue } = host(here, async () => {
    if (++runs <= 10) throw new LeftAlone('hunter2 is left alone', 60 * second);
    return report;
  });
  const { id } = await queue.request(request);
  await here.clock.advance(30 * second);
  expect(await queue.find(id)).toMatchObject({
    state: 'QUEUED',
    error: { code: 'OCTO_BREAKER_OPEN', message: '[secret] is left alone' },
  });
  expect(here.logger.messages('warn')).toEqual([]);
  await here.clock.advance(11 * 62 * second);
  expect(runs).toBe(11);
  expect(await queue.find(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 11 });
});

test.each([
  ['the login is refused', new PluginError('auth', 'no')],
  ['the host itself is wrong', new TypeError('undefined is not a function')],
  ['the pipeline is gone', new OctoError('OCTO_PIPELINE_UNKNOWN', 'no pipeline')],
])('no second attempt when %s', async (_, error) => {
  const here = world();
  let runs = 0;
  const { queue } = host(here, async () => {
    runs++;
    throw error;
  });
  const { id } = await queue.request(request);
  await here.clock.advance(200 * second);
  expect(runs).toBe(1);
  expect(await queue.find(id)).toMatchObject({ state: 'FAILED' });
});

test('the pause is as long as the other side asks for', async () => {
  const here = world();
  const times: number[] = [];
  const { queue } = host(here, async () => {
    times.push(here.clock.monotonic() / second);
    if (times.length > 1) return report;
    throw new PluginError('rate_limit', 'slow down', { retryAfterMs: 42_000 });
  });
  await queue.request(request);
  await here.clock.advance(100 * second);
  expect(times).toEqual([0, 42]);
});

test('a run that kills its worker three times is set aside', async () => {
  const here = world();
  let runs = 0;
  const { queue } = host(here, async () => {
    runs++;
    throw new OctoError('OCTO_WORKER_FAILED', 'the process of pipeline trades died: SIGKILL');
  });
  const { id } = await queue.request(request);
  await here.clock.advance(600 * second);
  expect(runs).toBe(3);
  expect(await queue.find(id)).toMatchObject({
    state: 'QUARANTINED',
    error: { code: 'OCTO_RUN_POISON' },
  });
});

test('a wish to cancel reaches the run within two seconds, also when the call is lost', async () => {
  const here = world();
  const { queue } = host(here, stays);
  const { id } = await queue.request(request);
  await here.clock.advance(5 * second);
  here.store.listeners.clear();
  await queue.cancel(id, 'key:2');
  await here.clock.advance(2 * second);
  expect(await queue.find(id)).toMatchObject({ state: 'CANCELLED', cancelledBy: 'key:2' });
});

test('a run that another host took over is stopped here, and not written to', async () => {
  const here = world();
  const { queue } = host(here, stays);
  const { id } = await queue.request(request);
  await here.clock.advance(second / 2);
  here.store.lapse();
  const other = here.store.host('two');
  await other.beat([]);
  const taken = (await other.take('trades', 1))!;
  await here.clock.advance(2 * second);
  expect(here.logger.entries).toContainEqual(
    expect.objectContaining({
      message: 'another host took the run over; what it did here is left',
    }),
  );
  expect(await queue.find(id)).toMatchObject({ state: 'RUNNING', attempt: 2, host: 'two' });
  await other.end(taken, { state: 'CANCELLED', by: 'test', timings: {} });
});

test('a stop lets runs end within the grace, begins none, and gives the rest back', async () => {
  const here = world();
  const { queue, stop, ended } = host(
    here,
    async (run, tell, signal) => {
      if (run.request.path === 'slow') return await stays(run, tell, signal);
      await here.clock.sleep(20 * second);
      return report;
    },
    2,
  );
  const quick = await queue.request(request);
  const slow = await queue.request({ ...request, path: 'slow' });
  const later = await queue.request(request);
  await here.clock.advance(second);
  stop.abort();
  await here.clock.advance(25 * second);
  expect(await queue.find(quick.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await queue.find(slow.id)).toMatchObject({ state: 'RUNNING' });
  await here.clock.advance(10 * second);
  await ended;
  expect(await queue.find(slow.id)).toMatchObject({ state: 'QUEUED', attempt: 1 });
  expect(await queue.find(later.id)).toMatchObject({ state: 'QUEUED', attempt: 0 });
  expect(await queue.take('trades', 1)).toMatchObject({ id: slow.id, deaths: 0, failures: 0 });
});

test('a run that ignores its abort does not keep the host alive, and goes back too', async () => {
  const here = world();
  const { queue, stop, ended } = host(here, () => Promise.withResolvers<never>().promise);
  const { id } = await queue.request(request);
  await here.clock.advance(second);
  stop.abort();
  await here.clock.advance(36 * second);
  await ended;
  expect(await queue.find(id)).toMatchObject({ state: 'QUEUED' });
});

test('while the queue does not answer the host goes on, and takes the run when it does', async () => {
  const here = world();
  const { queue } = host(here, ends);
  const take = queue.take.bind(queue);
  let fails = 0;
  queue.take = async (...args) => {
    if (fails++ < 3) throw new Error('no connection');
    return await take(...args);
  };
  const { id } = await queue.request(request);
  await here.clock.advance(10 * second);
  expect(fails).toBeGreaterThan(3);
  expect(await queue.find(id)).toMatchObject({ state: 'SUCCEEDED' });
});

describe('what happens in runs', () => {
  const delivered = (path: string) => ({ event: 'delivered', path, key: path, bytes: 4 }) as const;

  test('is written down four times a second, of all runs together', async () => {
    const here = world();
    const { queue } = host(
      here,
      async (_run, tell) => {
        for (let times = 0; times < 30; times++) {
          await here.clock.sleep(second / 10);
          tell({ event: 'read', path: 'a', bytes: 4 });
        }
        return report;
      },
      5,
    );
    const writes = vi.spyOn(queue, 'note');
    for (let count = 0; count < 5; count++) await queue.request(request);
    await here.clock.advance(2 * second);
    expect(writes.mock.calls.length).toBeLessThanOrEqual(8);
    expect(writes.mock.calls.at(-1)![0].size).toBe(5);
    await here.clock.advance(2 * second);
  });

  test('is there when the run has ended, also when a write was on its way', async () => {
    const here = world();
    const { queue } = host(here, async (_run, tell) => {
      tell(delivered('a'));
      await here.clock.sleep(second / 2);
      tell(delivered('b'));
      return report;
    });
    const note = queue.note.bind(queue);
    const slow = Promise.withResolvers<void>();
    queue.note = async (notes) => {
      await slow.promise;
      await note(notes);
    };
    const { id } = await queue.request(request);
    await here.clock.advance(2 * second);
    expect(await queue.find(id)).toMatchObject({ state: 'RUNNING' });
    slow.resolve();
    await here.clock.advance(1 * second);
    expect(await queue.find(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect((await queue.files(id)).map(({ path }) => path)).toEqual(['a', 'b']);
  });

  test('is not lost with that of a run whose notes are refused', async () => {
    const here = world();
    const { queue } = host(
      here,
      async (run, tell) => {
        tell(delivered(run.request.path!));
        await here.clock.sleep(second);
        return report;
      },
      3,
    );
    const note = queue.note.bind(queue);
    queue.note = async (notes) => {
      const isBad = [...notes.values()].some(({ files }) => files.some(({ path }) => path === 'b'));
      if (isBad) throw new Error('not a text');
      await note(notes);
    };
    const ids: string[] = [];
    for (const path of ['a', 'b', 'c']) ids.push((await queue.request({ ...request, path })).id);
    await here.clock.advance(3 * second);
    const kept = await Promise.all(ids.map((id) => queue.files(id)));
    expect(kept.map((files) => files.length)).toEqual([1, 0, 1]);
    expect(here.logger.entries).toContainEqual(
      expect.objectContaining({ message: 'what happened in a run could not be written down' }),
    );
  });
});
