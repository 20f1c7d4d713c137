import { ManualClock } from '@octo/plugin-testing';
import { beforeEach, expect, test } from 'vitest';
import type { Patient } from '../../src/host/health.ts';
import { RecentHealth } from '../../src/host/recent-health.ts';

const never = new AbortController().signal;
let clock: ManualClock;
let asked: number;
let answer: () => Promise<void>;
beforeEach(() => {
  clock = new ManualClock();
  asked = 0;
  answer = async () => {};
});

function generation(): ReadonlyMap<string, Patient> {
  const health = () => {
    asked += 1;
    return answer();
  };
  const acme: Patient = {
    id: 'acme',
    state: { state: 'started' },
    config: { policy: { timeoutMs: 1000 } },
    plugin: { health },
  };
  return new Map([['acme', acme]]);
}

function recentHealth(instances = generation(), life = never) {
  return new RecentHealth(() => instances, { clock, maxAgeMs: 5000 }, life);
}

test('an answer holds for its time, then the instances are asked anew', async () => {
  const recent = recentHealth();
  const first = await recent.ask(never);
  expect(first).toEqual({
    atMs: clock.now(),
    instances: [{ id: 'acme', state: 'healthy', tookMs: 0 }],
  });
  await clock.advance(4999);
  expect(await recent.ask(never)).toBe(first);
  expect(asked).toBe(1);
  await clock.advance(1);
  expect((await recent.ask(never)).atMs).toBe(first.atMs + 5000);
  expect(asked).toBe(2);
});

test('its time begins when the last instance has answered', async () => {
  answer = () => clock.sleep(900);
  const recent = recentHealth();
  const asking = recent.ask(never);
  await clock.advance(900);
  const { atMs } = await asking;
  await clock.advance(4999);
  expect((await recent.ask(never)).atMs).toBe(atMs);
  expect(asked).toBe(1);
});

test('whoever asks meanwhile waits for the same answer', async () => {
  answer = () => clock.sleep(400);
  const recent = recentHealth();
  const all = Promise.all([recent.ask(never), recent.ask(never), recent.ask(never)]);
  await clock.advance(400);
  const [one, ...others] = await all;
  for (const other of others) expect(other).toBe(one);
  expect(asked).toBe(1);
});

test('one who gives up does not take the answer from the others', async () => {
  answer = () => clock.sleep(400);
  const recent = recentHealth();
  const impatient = new AbortController();
  const leaving = recent.ask(impatient.signal);
  const staying = recent.ask(never);
  impatient.abort(new Error('too long for me'));
  await expect(leaving).rejects.toThrow('too long for me');
  await clock.advance(400);
  expect((await staying).instances).toMatchObject([{ state: 'healthy' }]);
});

test('after a reload the new instances are asked, also while the old ones still think', async () => {
  let now = generation();
  const recent = new RecentHealth(() => now, { clock }, never);
  answer = () => clock.sleep(400);
  const old = recent.ask(never);
  now = generation();
  answer = () => Promise.reject(new Error('new and broken'));
  expect((await recent.ask(never)).instances).toMatchObject([{ state: 'down' }]);
  await clock.advance(400);
  expect((await old).instances).toMatchObject([{ state: 'healthy' }]);
  expect((await recent.ask(never)).instances).toMatchObject([{ state: 'down' }]);
  expect(asked).toBe(2);
});

test('the end of its life ends the question, and nothing waits any longer', async () => {
  answer = () => new Promise(() => {});
  const life = new AbortController();
  const recent = recentHealth(generation(), life.signal);
  const asking = recent.ask(never);
  life.abort(new Error('the host stops'));
  await expect(asking).rejects.toThrow('the host stops');
  await expect(recent.ask(never)).rejects.toThrow('the host stops');
  expect(clock.pending).toBe(0);
});
