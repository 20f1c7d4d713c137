import { PluginError, type Lifecycle } from '@octo/plugin-api';
import { ManualClock } from '@octo/plugin-testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { askHealth, type HealthOptions, type Patient } from '../../src/host/health.ts';
import type { InstanceState } from '../../src/host/instance.ts';

const never = new AbortController().signal;
let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

interface Change {
  readonly id?: string;
  readonly state?: InstanceState;
  readonly timeoutMs?: number;
}

function patient(health: Lifecycle['health'], change: Change = {}): Patient {
  const { id = 'acme', state = { state: 'started' }, timeoutMs = 1000 } = change;
  const plugin = health === undefined ? {} : { health };
  return { id, state, config: { policy: { timeoutMs } }, plugin };
}

async function healthOf(one: Patient, options: Partial<HealthOptions> = {}) {
  const [health] = await askHealth([one], { clock, ...options }, never);
  return health;
}

const hangs = () => new Promise<void>(() => {});

describe('an instance', () => {
  test('that answers at once is healthy, and leaves no timer behind', async () => {
    const health = await healthOf(patient(async () => {}));
    expect(health).toEqual({ id: 'acme', state: 'healthy', tookMs: 0 });
    expect(clock.pending).toBe(0);
  });

  test.each([
    [500, 'healthy'],
    [501, 'degraded'],
    [999, 'degraded'],
  ])('that needs %i of its 1000 ms is %s', async (ms, state) => {
    const asking = healthOf(patient((signal) => clock.sleep(ms, signal)));
    await clock.advance(ms);
    expect(await asking).toMatchObject({ state, tookMs: ms });
  });

  test('that is slow says how slow', async () => {
    const asking = healthOf(patient((signal) => clock.sleep(800, signal)));
    await clock.advance(800);
    expect(await asking).toMatchObject({ reason: 'slow: 800 of 1000 ms' });
  });

  test('that never answers is down at its deadline, although it ignores its signal', async () => {
    const asking = healthOf(patient(hangs));
    await clock.advance(1000);
    expect(await asking).toMatchObject({
      state: 'down',
      type: 'network',
      code: 'TIMEOUT',
      reason: "health of plugin 'acme' did not answer within 1000 ms",
    });
    expect(clock.pending).toBe(0);
  });

  test('has no more time than the cap, however patient its policy is', async () => {
    const asking = healthOf(patient(hangs, { timeoutMs: 600_000 }), { capMs: 50 });
    await clock.advance(50);
    expect(await asking).toMatchObject({ state: 'down', reason: /within 50 ms/ });
  });

  test('is given ten seconds when its policy is patient', async () => {
    const asking = healthOf(patient(hangs, { timeoutMs: 600_000 }));
    await clock.advance(10_000);
    expect(await asking).toMatchObject({ state: 'down' });
  });

  test('that throws is down with the type, the code, the reason and what to do', async () => {
    const cause = new PluginError('auth', 'the login was refused', { code: 'LOGIN_REFUSED' });
    expect(await healthOf(patient(() => Promise.reject(cause)))).toEqual({
      id: 'acme',
      state: 'down',
      cause,
      type: 'auth',
      code: 'LOGIN_REFUSED',
      reason: 'the login was refused',
      remedy: 'check the credentials, the host key and the rights of this login',
    });
  });

  test('that throws before it answers is down, too', async () => {
    const throws = () => {
      throw new PluginError('not_found', 'no bucket');
    };
    expect(await healthOf(patient(throws))).toMatchObject({ state: 'down', type: 'not_found' });
  });

  test.each([
    ['an ordinary error', new TypeError('x is not a function'), 'TypeError: x is not a function'],
    ['a text', 'gone\u001B[2J', String.raw`gone\x1b[2J`],
    ['a number', 7, 'a thrown number'],
    ['nothing', undefined, 'a thrown undefined'],
    ['null', null, 'a thrown object'],
    ['a type of its own', Object.assign(new Error('odd'), { type: 'toString' }), 'odd'],
    ['an object that throws when it is looked at', hostile(), 'an object that is no error was'],
  ])('that throws %s is down for an unexpected reason', async (_, thrown, reason) => {
    const health = await healthOf(patient(() => Promise.reject(thrown as Error)));
    expect(health).toMatchObject({ state: 'down', type: 'unexpected' });
    expect(health).toHaveProperty('reason', expect.stringContaining(reason));
    expect(health).toHaveProperty('remedy', expect.stringContaining('author of the plugin'));
  });

  test('that did not start is down for that reason, and is not asked', async () => {
    let asked = false;
    const cause = new PluginError('validation', 'the pattern is wrong');
    const state = { state: 'failed', reason: 'the pattern is wrong', cause } as const;
    const health = await healthOf(patient(async () => void (asked = true), { state }));
    expect(health).toMatchObject({
      state: 'down',
      type: 'validation',
      reason: 'did not start: the pattern is wrong',
    });
    expect(asked).toBe(false);
  });

  test('that does not tell its health is unknown', async () => {
    const reason = 'the plugin does not tell its health';
    expect(await healthOf(patient(undefined))).toEqual({ id: 'acme', state: 'unknown', reason });
  });

  test.each(['created', 'disposed'] as const)('that is %s is unknown', async (state) => {
    const throws = () => Promise.reject(new Error('must not be asked'));
    expect(await healthOf(patient(throws, { state: { state } }))).toMatchObject({
      state: 'unknown',
    });
  });
});

describe('several instances', () => {
  test('are asked at the same time and told in their order, whatever one of them does', async () => {
    const asking = askHealth(
      [
        patient(hangs, { id: 'a' }),
        patient(() => Promise.reject(new PluginError('network', 'no route')), { id: 'b' }),
        patient((signal) => clock.sleep(400, signal), { id: 'c' }),
        patient(hangs, { id: 'd' }),
      ],
      { clock },
      never,
    );
    await clock.advance(1000);
    expect((await asking).map(({ id, state }) => `${id} ${state}`)).toEqual([
      'a down',
      'b down',
      'c healthy',
      'd down',
    ]);
    expect(clock.now()).toBe(new ManualClock().now() + 1000);
  });

  test('of which there are none are an empty answer', async () => {
    expect(await askHealth([], { clock }, never)).toEqual([]);
  });

  test('are not waited for any longer once the question is withdrawn', async () => {
    const controller = new AbortController();
    let told: AbortSignal | undefined;
    const listens = (signal: AbortSignal) => {
      told = signal;
      return hangs();
    };
    const asking = askHealth([patient(listens), patient(hangs)], { clock }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    expect(told?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('are not asked at all when the question is withdrawn before', async () => {
    const asking = askHealth([patient(undefined)], { clock }, AbortSignal.abort(new Error('over')));
    await expect(asking).rejects.toThrow('over');
  });
});

function hostile(): unknown {
  const refuse = () => {
    throw new Error('do not touch');
  };
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}
