import { describe, expect, test } from 'vitest';
import type { RunEnd, RunNotes, RunQueue, TakenRun } from '../../src/jobs/run-queue.ts';
import type { RunNews, RunRequest } from '../../src/jobs/runs.ts';

const request: RunRequest = { pipeline: 'trades', trigger: 'api', by: 'key:1' };
const totals = {
  discovered: 1,
  delivered: 1,
  bytes: 4,
  duplicates: 0,
  quarantined: 0,
  failed: 0,
  pending: 0,
};
const steps = [{ step: 'download', ms: 11.5, bytesIn: 4, bytesOut: 4 }];
const times = { ms: 12, steps: [{ ...steps[0]!, fromMs: 0, toMs: 11.5 }] };
const succeeded: RunEnd = { state: 'SUCCEEDED', totals, timings: { total: 12 }, steps };
const error = { code: 'network', message: 'no route' };
const back = { state: 'QUEUED', afterMs: 0, died: false, timings: {} } as const;
const died = { ...back, died: true };
const never = new AbortController().signal;

export interface QueueUnderTest {
  /** The same runs as another host sees them; `name` stays the same after a restart. */
  host(name: string): Promise<RunQueue>;
  /** Lets all leases lapse. */
  lapse(): Promise<void>;
}

/** What every {@link RunQueue} must do for the hosts that share it. `open` answers one without any run. */
export function runQueueSuite(open: () => Promise<QueueUnderTest>): void {
  test('a run is taken once, the one with the highest priority first, then the eldest', async () => {
    const shared = await open();
    const [a, b] = [await shared.host('a'), await shared.host('b')];
    const plain = await a.request(request);
    const urgent = await a.request({ ...request, priority: 50 });
    const later = await b.request(request);
    const taken = [];
    for (const host of [a, b, a]) taken.push((await host.take('trades', 10))!.id);
    expect(taken).toEqual([urgent.id, plain.id, later.id]);
    expect(await b.take('trades', 10)).toBeUndefined();
    expect(await a.find(plain.id)).toMatchObject({ state: 'RUNNING', attempt: 1, host: 'b' });
  });

  test('one run of a pipeline at a time over all hosts, or as many as it allows', async () => {
    const shared = await open();
    const [a, b] = [await shared.host('a'), await shared.host('b')];
    for (let count = 0; count < 4; count++) await a.request(request);
    const race = await Promise.all([a, b, a, b].map((host) => host.take('trades', 1)));
    expect(race.filter((run) => run !== undefined)).toHaveLength(1);
    const more = await Promise.all([a, b, a, b].map((host) => host.take('trades', 3)));
    expect(more.filter((run) => run !== undefined)).toHaveLength(2);
    expect([...(await a.depth())]).toEqual([['trades', { queued: 1, running: 3 }]]);
  });

  test('a run that ended keeps totals, timings, files and why', async () => {
    const host = await (await open()).host('a');
    await host.request(request);
    const run = (await host.take('trades', 1))!;
    const notes = {
      progress: {
        filesToDeliver: 2,
        filesDone: 1,
        bytesToRead: 8,
        bytesRead: 4,
        bytesPerSecond: 4,
        secondsLeft: 1,
      },
      news: [{ event: 'failed', path: 'a\u0000b', reason: 'network' }],
      files: [
        { path: 'a\u0000b', outcome: 'failed', reason: 'network' },
        { path: 'c', outcome: 'delivered', key: 'k', bytes: 4, times },
        { path: 'a\u0000b', outcome: 'delivered', key: 'k~2', bytes: 5 },
      ],
    } as const;
    await host.note(new Map([[run, notes]]));
    expect(await host.find(run.id)).toMatchObject({ progress: { filesDone: 1, secondsLeft: 1 } });
    const ended = await host.end(run, succeeded);
    expect(ended).toMatchObject({ state: 'SUCCEEDED', totals, timings: { total: 12 }, steps });
    expect(ended).not.toHaveProperty('progress');
    expect(await host.find(run.id)).toEqual(ended);
    expect(await host.files(run.id)).toEqual([
      { path: 'a\u0000b', outcome: 'delivered', key: 'k~2', bytes: 5 },
      { path: 'c', outcome: 'delivered', key: 'k', bytes: 4, times },
    ]);
    await host.request(request);
    const other = (await host.take('trades', 1))!;
    expect(await host.end(other, { state: 'FAILED', error, timings: {} })).toMatchObject({
      state: 'FAILED',
      error,
    });
  });

  test('what happened in several runs is written down at once, in each in its order', async () => {
    const host = await (await open()).host('a');
    const all = ['trades', 'cash', 'trades'];
    for (const pipeline of all) await host.request({ ...request, pipeline });
    const runs = [];
    for (const pipeline of all) runs.push((await host.take(pipeline, 2))!);
    const notesOf = (names: readonly string[]) => ({
      news: names.map((path) => ({ event: 'delivered', path })),
      files: names.map((path) => ({ path, outcome: 'delivered' as const })),
    });
    const [first, second, third] = runs as [TakenRun, TakenRun, TakenRun];
    await host.note(new Map([[second, notesOf(['z'])]]));
    await host.note(
      new Map([
        [first, notesOf(['b', 'a', 'c'])],
        [second, notesOf(['y', 'x'])],
        [third, notesOf([])],
      ]),
    );
    for (const run of runs) await host.end(run, succeeded);
    const told: unknown[] = [];
    for (const { id } of runs) {
      const news = await collect(host.follow(id, 0, never));
      expect(news.map(({ sequence }) => sequence)).toEqual(news.map((_, index) => index + 1));
      told.push(news.flatMap(({ path }) => path ?? []));
      expect((await host.files(id)).map(({ path }) => path)).toEqual(told.at(-1));
    }
    expect(told).toEqual([['b', 'a', 'c'], ['z', 'y', 'x'], []]);
  });

  test('one that is tried again waits for its time, and counts', async () => {
    const host = await (await open()).host('a');
    await host.request(request);
    const first = (await host.take('trades', 1))!;
    const waiting = await host.end(first, { ...back, afterMs: 3_600_000, error });
    expect(waiting).toMatchObject({ state: 'QUEUED', attempt: 1, error });
    expect(waiting!.notBefore! - waiting!.requestedAt).toBeGreaterThan(3_000_000);
    expect(await host.take('trades', 1)).toBeUndefined();
    expect((await host.beat([])).waiting).toEqual([]);
    await host.request(request);
    const second = (await host.take('trades', 1))!;
    expect(second.id).not.toBe(first.id);
    await host.end(second, { ...back, error });
    expect((await host.beat([])).waiting).toEqual(['trades']);
    expect(await host.take('trades', 1)).toMatchObject({ id: second.id, attempt: 2, failures: 1 });
  });

  describe('a host that is gone', () => {
    test('loses its runs when the lease is over, and changes nothing when it wakes up', async () => {
      const shared = await open();
      const [a, b] = [await shared.host('a'), await shared.host('b')];
      await a.request(request);
      const old = (await a.take('trades', 1))!;
      await b.beat([]);
      expect(await b.take('trades', 1)).toBeUndefined();
      await shared.lapse();
      expect((await b.beat([])).waiting).toEqual(['trades']);
      const taken = (await b.take('trades', 1))!;
      expect(taken).toMatchObject({ id: old.id, attempt: 2, deaths: 1, host: 'b' });
      expect((await a.beat([old])).lost).toEqual(new Set([old.id]));
      const ghost = {
        news: [{ event: 'failed' }],
        files: [{ path: 'x', outcome: 'failed' }],
      } as const;
      const told = { news: [], files: [{ path: 'y', outcome: 'failed' }] } as const;
      await a.note(
        new Map<TakenRun, RunNotes>([
          [old, ghost],
          [taken, told],
        ]),
      );
      expect(await a.end(old, succeeded)).toBeUndefined();
      expect(await b.files(old.id)).toEqual([{ path: 'y', outcome: 'failed' }]);
      expect(await b.find(old.id)).toMatchObject({ state: 'RUNNING', attempt: 2, host: 'b' });
      expect(await b.end(taken, succeeded)).toMatchObject({ state: 'SUCCEEDED' });
    });

    test('keeps them as long as it beats', async () => {
      const shared = await open();
      const [a, b] = [await shared.host('a'), await shared.host('b')];
      await a.request(request);
      const run = (await a.take('trades', 1))!;
      await shared.lapse();
      expect((await a.beat([run])).lost).toEqual(new Set());
      await b.beat([]);
      expect(await b.take('trades', 1)).toBeUndefined();
    });

    test('gives them back at once when it comes again', async () => {
      const shared = await open();
      const before = await shared.host('a');
      await before.request(request);
      const { id } = (await before.take('trades', 1))!;
      const after = await shared.host('a');
      expect(await after.take('trades', 1)).toMatchObject({ id, attempt: 2, deaths: 1 });
    });
  });

  test('a run that was the death of three processes is set aside with the reason', async () => {
    const host = await (await open()).host('a');
    const { id } = await host.request(request);
    for (let count = 0; count < 2; count++)
      expect(await host.end((await host.take('trades', 1))!, died)).toMatchObject({
        state: 'QUEUED',
      });
    const last = await host.end((await host.take('trades', 1))!, {
      ...died,
      error: { code: 'OCTO_WORKER_FAILED', message: 'SIGKILL' },
    });
    expect(last).toMatchObject({ id, state: 'QUARANTINED', error: { code: 'OCTO_RUN_POISON' } });
    expect(last?.error?.message).toContain('SIGKILL');
    expect(await host.take('trades', 1)).toBeUndefined();
  });

  test('the wish to cancel reaches the host that runs it, and stays', async () => {
    const shared = await open();
    const [a, b] = [await shared.host('a'), await shared.host('b')];
    const { id } = await a.request(request);
    const run = (await a.take('trades', 1))!;
    const called = Promise.withResolvers<unknown>();
    using _calls = a.onCall((call) => 'cancel' in call && called.resolve(call.cancel));
    expect(await b.cancel(id, 'key:9')).toMatchObject({ state: 'RUNNING', cancelledBy: 'key:9' });
    expect(await called.promise).toBe(id);
    expect([...(await a.beat([run])).cancelled]).toEqual([[id, 'key:9']]);
    expect(await a.end(run, { ...back, afterMs: 1 })).toMatchObject({ state: 'CANCELLED' });
    expect(await b.take('trades', 1)).toBeUndefined();
  });

  test('a request calls the hosts', async () => {
    const shared = await open();
    const [a, b] = [await shared.host('a'), await shared.host('b')];
    const called = Promise.withResolvers<unknown>();
    using _calls = b.onCall((call) => 'work' in call && called.resolve(call.work));
    await a.request(request);
    expect(await called.promise).toBe('trades');
  });

  describe('schedules', () => {
    const every = { pipeline: 'trades', text: 'every 5 min', atOnce: true, restart: true };
    const cron = { ...every, text: '45 3 * * * (UTC)', atOnce: false };
    const newest = (times: readonly number[]) => [
      { at: times.at(-1)!, trigger: 'schedule' as const },
    ];
    const due = (...times: number[]) => ({
      pipeline: 'trades',
      text: cron.text,
      times,
      choose: newest,
    });

    test('each due time is one run, whichever host comes first', async () => {
      const shared = await open();
      const hosts = [await shared.host('a'), await shared.host('b'), await shared.host('c')];
      for (const host of hosts)
        expect(await host.mark({ ...cron, now: 100 })).toEqual({ anchor: 100, last: 100 });
      const answers = await Promise.all(hosts.map((host) => host.due(due(200))));
      expect(answers.toSorted()).toEqual(['known', 'known', 'requested']);
      const { runs } = await hosts[0]!.list({ limit: 10 });
      expect(runs).toMatchObject([{ request: { trigger: 'schedule', by: 'host' } }]);
      expect(await hosts[1]!.mark({ ...cron, now: 999 })).toEqual({ anchor: 100, last: 200 });
    });

    test('a time that comes while its pipeline is busy still is skipped', async () => {
      const host = await (await open()).host('a');
      await host.mark({ ...cron, now: 100 });
      expect(await host.due(due(200))).toBe('requested');
      expect(await host.due(due(300))).toBe('skipped');
      await host.end((await host.take('trades', 1))!, succeeded);
      expect(await host.due(due(300))).toBe('known');
      expect(await host.due(due(400))).toBe('requested');
    });

    test('a period begins with a run when no other host keeps it, and goes on where one does', async () => {
      const shared = await open();
      const a = await shared.host('a');
      expect(await a.mark({ ...every, now: 100 })).toEqual({ anchor: 100, last: 99 });
      expect(await a.due({ ...due(100), text: every.text })).toBe('requested');
      const b = await shared.host('b');
      expect(await b.mark({ ...every, now: 150 })).toEqual({ anchor: 100, last: 100 });
      await b[Symbol.asyncDispose]();
      expect(await a.mark({ ...every, restart: false, now: 160 })).toMatchObject({ anchor: 100 });
      expect(await a.mark({ ...every, now: 170 })).toEqual({ anchor: 170, last: 169 });
    });

    test('a changed schedule begins anew; who still has the old one requests nothing', async () => {
      const shared = await open();
      const [a, b] = [await shared.host('a'), await shared.host('b')];
      await a.mark({ ...cron, now: 100 });
      expect(await b.mark({ ...every, restart: false, now: 200 })).toEqual({
        anchor: 200,
        last: 199,
      });
      expect(await a.due(due(300))).toBe('known');
    });
  });

  test('what ended long ago is forgotten', async () => {
    const host = await (await open()).host('a');
    await host.request(request);
    const waiting = await host.request({ ...request, pipeline: 'cash' });
    await host.end((await host.take('trades', 1))!, succeeded);
    expect(await host.forget(3_600_000)).toBe(0);
    expect(await host.forget(-1)).toBe(1);
    expect((await host.list({ limit: 10 })).runs.map(({ id }) => id)).toEqual([waiting.id]);
  });
}

async function collect(news: AsyncIterable<RunNews>): Promise<RunNews[]> {
  const collected: RunNews[] = [];
  for await (const one of news) collected.push(one);
  return collected;
}
