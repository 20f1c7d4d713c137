import { expect, test } from 'vitest';
import { MemoryPlace } from '../src/memory-place.ts';
import { MemorySink } from '../src/memory-sink.ts';
import { proofOf } from '../src/proof-of.ts';
import { sinkSuite } from '../src/sink-suite.ts';

const signal = new AbortController().signal;
const bytes = new TextEncoder().encode('deposit_id,amount\n');
const FOREIGN = new TextEncoder().encode('somebody else was here');

sinkSuite('the memory sink', async () => {
  const place = new MemoryPlace();
  return {
    sink: new MemorySink({ place, now: () => 1000 }),
    another: () => new MemorySink({ place, now: () => 1000 }),
    readObject: async (key) => place.read(key),
    listKeys: async () => place.keys(),
    placeForeignObject: async (key, foreign) => place.placeForeign(key, foreign),
    [Symbol.asyncDispose]: async () => {},
  };
});

async function stagedIn(sink: MemorySink) {
  const staged = await sink.stage({ key: 'key', metadata: {} }, signal);
  await staged.write(bytes, signal);
  return staged;
}

test('an answer can be lost after the commit was applied', async () => {
  const sink = new MemorySink();
  const staged = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'answer lost', applied: true });
  await expect(staged.commit(proofOf(bytes), signal)).rejects.toMatchObject({ type: 'network' });
  expect(sink.memory.keys()).toEqual(['key']);
  expect(await staged.commit(proofOf(bytes), signal)).toEqual({ outcome: 'gone' });
});

test('an answer can be lost before the commit was applied', async () => {
  const sink = new MemorySink();
  const staged = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'answer lost', applied: false });
  await expect(staged.commit(proofOf(bytes), signal)).rejects.toMatchObject({ type: 'network' });
  expect(sink.memory.keys()).toEqual([]);
  expect(await staged.commit(proofOf(bytes), signal)).toMatchObject({ outcome: 'committed' });
});

test('an error of any type meets the call that was chosen, and no other', async () => {
  const sink = new MemorySink();
  sink.fail('stage', 2, { kind: 'error', type: 'provider_down', code: 'DISK_FULL' });
  await stagedIn(sink);
  await expect(stagedIn(sink)).rejects.toMatchObject({ type: 'provider_down', code: 'DISK_FULL' });
  await stagedIn(sink);
  expect(sink.memory.keys()).toEqual([]);
  expect(sink.calls.filter(({ verb }) => verb === 'stage')).toHaveLength(3);
});

test('a late commit of an aborted upload comes to nothing', async () => {
  const sink = new MemorySink();
  const staged = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'late' });
  await expect(staged.commit(proofOf(bytes), signal)).rejects.toMatchObject({ type: 'network' });
  await sink.abort({ key: 'key', id: staged.id }, signal);
  expect(sink.memory.late).toBe(1);
  sink.memory.applyLate();
  expect([sink.memory.late, sink.memory.keys()]).toEqual([0, []]);
});

test('a slow store may complete a late commit after the abort', async () => {
  const sink = new MemorySink({ completesAfterAbort: true, completeGraceMs: 1000 });
  const staged = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'late' });
  await expect(staged.commit(proofOf(bytes), signal)).rejects.toMatchObject({ type: 'network' });
  await sink.abort({ key: 'key', id: staged.id }, signal);
  expect(await sink.head('key', signal)).toBeUndefined();
  sink.memory.applyLate();
  expect(sink.memory.keys()).toEqual(['key']);
});

test('somebody can abort the upload or take the key just before the commit', async () => {
  const sink = new MemorySink();
  const aborted = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'aborted by somebody' });
  expect(await aborted.commit(proofOf(bytes), signal)).toEqual({ outcome: 'gone' });
  const late = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'foreign object', bytes: FOREIGN });
  expect(await late.commit(proofOf(bytes), signal)).toEqual({ outcome: 'exists' });
  expect(sink.memory.read('key')).toEqual(FOREIGN);
});

test('a paused call goes on when the test says so', async () => {
  const sink = new MemorySink();
  const { promise, resolve } = Promise.withResolvers<void>();
  const staged = await stagedIn(sink);
  sink.fail('commit', 1, { kind: 'paused', until: promise });
  const answer = staged.commit(proofOf(bytes), signal);
  await sink.abort({ key: 'key', id: staged.id }, signal);
  resolve();
  expect(await answer).toEqual({ outcome: 'gone' });
});

test('facts are kept beside the object', async () => {
  const sink = new MemorySink();
  const staged = await stagedIn(sink);
  await staged.commit(proofOf(bytes), signal);
  await sink.annotate('key', { a: '1' }, signal);
  await sink.annotate('key', { b: '2' }, signal);
  expect(sink.memory.facts('key')).toEqual({ a: '1', b: '2' });
});
