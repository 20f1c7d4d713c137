import { PluginError, type PluginErrorType } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { emptyReport } from '../../src/cli/run-result.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { RunEvent } from '../../src/pipeline/run-report.ts';
import type { BreakerChange } from '../../src/policy/breaker-side.ts';
import type { Breakers } from '../../src/policy/breakers.ts';
import { Guard } from '../../src/policy/guard.ts';
import { LeftAlone } from '../../src/resilience/left-alone.ts';
import { seeded } from '../resilience/seeded.ts';
import { MemoryBreakers } from './memory-breakers.ts';

const second = 1000;
const minute = 60 * second;
const breaker = {
  failures: 3,
  withinMs: 60 * minute,
  openMs: minute,
  longestMs: 30 * minute,
  probeMs: 2 * minute,
};

/** Two vendors with one sink, and a third with a sink of its own. */
const routes = {
  trades: { from: 'acme', to: 'lake' },
  prices: { from: 'zenith', to: 'lake' },
  loans: { from: 'northwind', to: 'shelf' },
} as const;
type Route = keyof typeof routes;
const instances = ['acme', 'zenith', 'northwind', 'lake', 'shelf'] as const;
const manifest = {
  plugins: new Map(instances.map((id) => [id, { id, policy: { breaker } }])),
  pipelines: new Map(Object.entries(routes).map(([id, route]) => [id, { id, ...route }])),
} as unknown as Manifest;

function world(breakers?: Breakers) {
  const clock = new ManualClock();
  const books = new MemoryBreakers(() => clock.now());
  const logger = new RecordingLogger();
  const changes: BreakerChange[] = [];
  const guard = new Guard({
    breakers: breakers ?? books,
    clock,
    logger,
    random: () => 0.5,
    redact: (text) => text.replaceAll('hunter2', '[secret]'),
    onChange: (change) => changes.push(change),
  });
  const signal = new AbortController().signal;
  let asked = 0;
  /** A run of the pipeline that tells these events and ends like this. */
  const run = async (pipeline: Route, end: Error | readonly RunEvent[], byHand = false) =>
    await guard.run({ manifest, pipeline, byHand }, signal, async (hear) => {
      asked++;
      if (end instanceof Error) throw end;
      for (const event of end) hear(event);
      return emptyReport(pipeline);
    });
  const states = () => Object.fromEntries([...books.states].map(([id, { state }]) => [id, state]));
  return { clock, books, logger, changes, guard, run, states, asked: () => asked };
}

const connected: RunEvent = { event: 'connected' };
const delivered: RunEvent = { event: 'delivered', path: 'a', key: 'a', bytes: 1 };
const sinkDown: RunEvent = { event: 'sink-down', type: 'provider_down', reason: '503' };
const wellDone = [connected, delivered];
const noRoute = new PluginError('network', 'no route, hunter2');

/** A vendor that is left alone after three runs that could not connect. */
async function opened() {
  const here = world();
  for (let count = 0; count < 3; count++)
    await expect(here.run('trades', noRoute)).rejects.toBe(noRoute);
  return here;
}

test('a vendor that cannot be reached is left alone: the run says until when, and how to try at once', async () => {
  const { run, asked, changes, clock } = await opened();
  const refused = await run('trades', wellDone).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LeftAlone);
  expect(refused).toMatchObject({ code: 'OCTO_BREAKER_OPEN', forMs: minute });
  const until = new Date(clock.now() + minute).toISOString().slice(0, 19);
  expect((refused as Error).message).toBe(
    `plugin 'acme' is left alone until ${until}Z because it could not be reached (no route, [secret]); the run waits and nothing is lost; 'octo-host run trades' tries at once`,
  );
  expect(asked()).toBe(3);
  expect(changes).toEqual([
    { instance: 'acme', state: 'open', why: 'no route, [secret]', until: clock.now() + minute },
  ]);
});

test('when the time is over one run tries; that it was let in is enough for all others, long before it ends', async () => {
  const { guard, run, clock, states } = await opened();
  await clock.advance(minute);
  const end = Promise.withResolvers<void>();
  const signal = new AbortController().signal;
  const whole = { manifest, pipeline: 'trades', byHand: false };
  const probing = guard.run(whole, signal, async (hear) => {
    await expect(run('trades', wellDone)).rejects.toBeInstanceOf(LeftAlone);
    hear(connected);
    await expect.poll(states).toEqual({ acme: 'closed' });
    await run('trades', wellDone);
    await end.promise;
    return emptyReport('trades');
  });
  end.resolve();
  await probing;
});

test('a run that tries and hangs at the door is stopped at its deadline, and counts as a failure', async () => {
  const { guard, clock, states, changes } = await opened();
  await clock.advance(minute);
  const whole = { manifest, pipeline: 'trades', byHand: false };
  const hanging = guard.run(whole, new AbortController().signal, async (_hear, signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    return await promise;
  });
  const ended = hanging.catch((error: unknown) => error);
  await clock.advance(2 * minute);
  expect(await ended).toMatchObject({ type: 'network', code: 'TIMEOUT' });
  expect(states()).toEqual({ acme: 'open' });
  expect(changes.at(-1)?.until).toBe(clock.now() + 2 * minute);
});

test('a run that tries and is stopped gives its place back; the next one tries', async () => {
  const { guard, clock, run, states } = await opened();
  await clock.advance(minute);
  const stop = new AbortController();
  const whole = { manifest, pipeline: 'trades', byHand: false };
  const stopped = guard.run(whole, stop.signal, async () => {
    stop.abort(new Error('the host stops'));
    throw stop.signal.reason as Error;
  });
  await expect(stopped).rejects.toThrow('the host stops');
  await run('trades', wellDone);
  expect(states()).toEqual({ acme: 'closed' });
});

test('by hand it goes at once; its success opens the door for all, its failure prolongs nothing', async () => {
  const { run, states, books } = await opened();
  const before = books.states.get('acme');
  await expect(run('trades', noRoute, true)).rejects.toBe(noRoute);
  expect(books.states.get('acme')).toEqual(before);
  await run('trades', wellDone, true);
  expect(states()).toEqual({ acme: 'closed' });
});

test('a sink that takes nothing is left alone; one that took a file is not', async () => {
  const { run, states } = world();
  for (let count = 0; count < 3; count++) await run('trades', [connected, sinkDown]);
  expect(states()).toEqual({ lake: 'open' });
  await expect(run('prices', wellDone)).rejects.toThrow("plugin 'lake' is left alone");
  const other = world();
  for (let count = 0; count < 5; count++) await other.run('loans', [...wellDone, sinkDown]);
  expect(other.states()).toEqual({});
});

test('a plugin that does not start because of its vendor is that one’s failure', async () => {
  const { run, states } = world();
  const cause = new PluginError('network', 'no route');
  const error = new OctoError('OCTO_INSTANCE_FAILED', 'did not start', { cause, instance: 'lake' });
  for (let count = 0; count < 3; count++) await expect(run('trades', error)).rejects.toBe(error);
  expect(states()).toEqual({ lake: 'open' });
});

test('a thousand refused logins and wrong settings open nothing', async () => {
  const { run, states, asked } = world();
  const types = ['auth', 'validation', 'not_found', 'integrity'] as const;
  for (let count = 0; count < 1000; count++)
    await run('trades', new PluginError(types[count % types.length]!, 'no')).catch(() => {});
  await run('trades', new TypeError('a defect')).catch(() => {});
  expect(asked()).toBe(1001);
  expect(states()).toEqual({});
});

test('whatever one vendor does, the breakers of others, and of a sink that all share, stay closed', async () => {
  const types: readonly PluginErrorType[] = ['network', 'provider_down', 'rate_limit', 'auth'];
  for (let seed = 1; seed <= 15; seed++) {
    const random = seeded(seed);
    const here = world();
    for (let step = 0; step < 40; step++) {
      await here.clock.advance(Math.floor(random() * 3) * minute);
      const type = types[Math.floor(random() * types.length)]!;
      const wish = random() < 0.2 ? { retryAfterMs: 3_600_000 } : {};
      const bad = new PluginError(type, 'acme is in trouble', wish);
      const end = random() < 0.8 ? bad : wellDone;
      await here.run('trades', end, random() < 0.1).catch(() => undefined);
      for (const pipeline of ['prices', 'loans'] as const)
        await here.run(pipeline, random() < 0.5 ? wellDone : [connected]);
    }
    expect(here.states(), `seed ${seed}`).not.toHaveProperty('lake', 'open');
    expect(Object.keys(here.states()), `seed ${seed}`).toEqual(['acme']);
    expect(
      here.changes.some(({ state }) => state === 'open'),
      `seed ${seed}`,
    ).toBe(true);
  }
});

test('books that fail, or hang, keep no run from its vendor', async () => {
  const broken = { move: async () => await Promise.reject(new Error('the database is away')) };
  const failing = world(broken as unknown as Breakers);
  await failing.run('trades', wellDone);
  await expect(failing.run('trades', noRoute)).rejects.toBe(noRoute);
  expect(failing.asked()).toBe(2);
  expect(failing.logger.messages('warn')).toContain('a breaker does not answer; going on without');
  const hanging = world({ move: () => new Promise(() => {}) } as unknown as Breakers);
  const running = hanging.run('trades', wellDone);
  await hanging.clock.advance(minute);
  expect((await running).pipeline).toBe('trades');
});

test('what is known of an instance that is another one now is forgotten', async () => {
  const { guard, run, states } = await opened();
  await guard.forget(['acme', 'nobody']);
  expect(states()).toEqual({ acme: 'closed' });
  await run('trades', wellDone);
});
