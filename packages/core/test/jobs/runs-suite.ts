import { expect, test } from 'vitest';
import type { RunNews, RunRequest, Runs } from '../../src/jobs/runs.ts';

const request: RunRequest = { pipeline: 'trades', trigger: 'api', by: 'key:1' };
const never = new AbortController().signal;

/**
 * What every implementation of {@link Runs} must do, as its users see it. `open` answers one without any run; whoever
 * made it closes it.
 */
export function runsSuite(open: () => Promise<Runs>): void {
  test('a request is a queued run that everybody finds', async () => {
    const runs = await open();
    const made = await runs.request({ ...request, since: 1, path: '*.csv', priority: 7 });
    expect(made).toMatchObject({
      request: { ...request, since: 1, path: '*.csv', priority: 7 },
      state: 'QUEUED',
      attempt: 0,
    });
    expect(made.request).not.toHaveProperty('key');
    expect(await runs.find(made.id)).toEqual(made);
    expect(await runs.find('nothing')).toBeUndefined();
    expect(await runs.find(crypto.randomUUID())).toBeUndefined();
  });

  test('a request that came with a trace keeps it; its retry has one of its own', async () => {
    const runs = await open();
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traceParent = `00-${trace}-b7ad6b7169203331-01`;
    const made = await runs.request({ ...request, key: 'k', traceParent });
    expect(made).toMatchObject({ trace, request: { traceParent } });
    expect(await runs.find(made.id)).toEqual(made);
    // The next try to ask is another span, and the same request.
    const other = traceParent.replace('b7ad', 'b7ae');
    expect((await runs.request({ ...request, key: 'k', traceParent: other })).id).toBe(made.id);
    const again = (await runs.retry(made.id, 'key:2'))!;
    expect(again.trace).toBe(again.id.replaceAll('-', ''));
    expect(again.request).not.toHaveProperty('traceParent');
  });

  test('the same key with the same request answers the same run; with another it is refused', async () => {
    const runs = await open();
    const keyed = { ...request, key: 'month-end' };
    const made = await runs.request(keyed);
    const again = await Promise.all([runs.request(keyed), runs.request(keyed)]);
    expect(again.map(({ id }) => id)).toEqual([made.id, made.id]);
    await expect(runs.request({ ...keyed, path: 'b*' })).rejects.toMatchObject({
      code: 'OCTO_RUN_KEY_REUSED',
    });
    expect((await runs.list({ limit: 10 })).runs).toHaveLength(1);
  });

  test('runs are listed newest first, in pages, by pipeline, state and trigger', async () => {
    const runs = await open();
    const ids: string[] = [];
    for (const pipeline of ['a', 'b', 'a', 'a'])
      ids.unshift((await runs.request({ ...request, pipeline })).id);
    await runs.cancel(ids[0]!, 'operator');
    const first = await runs.list({ limit: 3 });
    expect(first.runs.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const second = await runs.list({ limit: 3, cursor: first.next! });
    expect(second.runs.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(second.next).toBeUndefined();
    const found = await runs.list({
      pipeline: 'a',
      states: ['QUEUED'],
      trigger: 'api',
      limit: 10,
    });
    expect(found.runs.map(({ id }) => id)).toEqual([ids[1], ids[3]]);
    expect((await runs.list({ trigger: 'schedule', limit: 10 })).runs).toEqual([]);
  });

  test('a queued run that is cancelled has ended, and says who did it; once ended it stays', async () => {
    const runs = await open();
    const { id } = await runs.request(request);
    const cancelled = await runs.cancel(id, 'key:2');
    expect(cancelled).toMatchObject({ state: 'CANCELLED', cancelledBy: 'key:2' });
    expect(cancelled?.endedAt).toBeGreaterThan(0);
    expect(await runs.cancel(id, 'key:3')).toEqual(cancelled);
    expect(await runs.cancel(crypto.randomUUID(), 'key:3')).toBeUndefined();
  });

  test('a retry is another run with the same request', async () => {
    const runs = await open();
    const { id } = await runs.request({ ...request, since: 5, path: 'x*', key: 'k' });
    const again = await runs.retry(id, 'operator');
    expect(again).toMatchObject({
      request: { pipeline: 'trades', trigger: 'retry', by: 'operator', since: 5, path: 'x*' },
      state: 'QUEUED',
    });
    expect(again?.id).not.toBe(id);
    expect(await runs.retry(crypto.randomUUID(), 'operator')).toBeUndefined();
  });

  test('how many wait is told by pipeline', async () => {
    const runs = await open();
    await runs.request(request);
    await runs.request(request);
    await runs.cancel((await runs.request({ ...request, pipeline: 'cash' })).id, 'operator');
    expect([...(await runs.depth())]).toEqual([['trades', { queued: 2, running: 0 }]]);
  });

  test('who follows a run hears its end, and then no more; who comes later hears what was', async () => {
    const runs = await open();
    const { id } = await runs.request(request);
    const heard = collect(runs.follow(id, 0, never));
    await runs.cancel(id, 'operator');
    const news = await heard;
    expect(news.map(({ sequence }) => sequence)).toEqual(news.map((_, index) => index + 1));
    expect(news.at(-1)).toMatchObject({ event: 'state', run: { id, state: 'CANCELLED' } });
    const last = news.at(-1)!.sequence;
    expect(await collect(runs.follow(id, last - 1, never))).toMatchObject([{ sequence: last }]);
    expect(await collect(runs.follow(id, last, never))).toEqual([]);
    expect(await collect(runs.follow(crypto.randomUUID(), 0, never))).toEqual([]);
  });

  test('who follows stops when told to', async () => {
    const runs = await open();
    const { id } = await runs.request(request);
    const stop = new AbortController();
    const heard = collect(runs.follow(id, undefined, stop.signal));
    stop.abort();
    expect(await heard).toEqual([]);
  });

  test('a run without files has none', async () => {
    const runs = await open();
    expect(await runs.files((await runs.request(request)).id)).toEqual([]);
    expect(await runs.files('nothing')).toEqual([]);
  });
}

async function collect(news: AsyncIterable<RunNews>): Promise<RunNews[]> {
  const all: RunNews[] = [];
  for await (const one of news) all.push(one);
  return all;
}
