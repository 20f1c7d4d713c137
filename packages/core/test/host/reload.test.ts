import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definePlugin, type Lifecycle, type PluginDefinition, PluginError } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import type { HostOptions } from '../../src/host/host.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import type { StepKind } from '../../src/pipeline/step.ts';
import { manifestOf, provider, shelf, sink } from './fake-plugins.ts';

const signal = new AbortController().signal;

let stateFolder: string;
let clock: ManualClock;
let logger: RecordingLogger;
let hosts: InProcessHost[];
let story: string[];
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'octo-state-'));
  clock = new ManualClock();
  logger = new RecordingLogger();
  hosts = [];
  story = [];
});
afterEach(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
  await rm(stateFolder, { recursive: true });
});

/** Tells its life, under its id and its configuration; a test may change what it does. */
function plugin(kind: 'provider' | 'sink', life: (version: string) => Lifecycle = () => ({})) {
  return definePlugin({
    name: 'told',
    kind,
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { version: { type: 'string', default: '1' } },
    },
    create: ({ id, config }) => {
      const name = `${id}@${config.version}`;
      const told: Lifecycle = {
        start: async () => void story.push(`start ${name}`),
        [Symbol.asyncDispose]: async () => void story.push(`close ${name}`),
        ...life(config.version),
      };
      return (kind === 'sink' ? sink(told) : provider(told)) as never;
    },
  }) as PluginDefinition;
}

const decrypt: StepKind = {
  name: 'decrypt',
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { key: { type: 'string', secret: true } },
  },
  create: async () => {
    story.push('make decrypt');
    return {
      name: 'decrypt',
      rename: (file) => file,
      provesIntegrity: () => true,
      run: () => [] as never,
    };
  },
};

interface Wish {
  readonly [id: string]: string;
}

/** A manifest of providers and sinks with a version each, and a pipeline for each provider into the sink `lake`. */
function wish(versions: Wish, more: object = {}, pipeline: object = {}) {
  const plugins = Object.entries(versions).map(([id, version]) => [
    id,
    { use: id === 'lake' ? 'sink' : 'provider', config: { version } },
  ]);
  const pipelines = Object.keys(versions)
    .filter((id) => id !== 'lake')
    .map((id) => [`from-${id}`, { from: id, to: 'lake', key: '{name}', ...pipeline }]);
  return manifestOf({
    plugins: Object.fromEntries(plugins),
    pipelines: Object.fromEntries(pipelines),
    ...more,
  }).then((manifest) => ({ ...manifest, folder: '/manifests' }));
}

async function running(
  versions: Wish,
  plugins: Readonly<Record<string, PluginDefinition>> = {},
  options: Partial<HostOptions> = {},
) {
  const host = await InProcessHost.create(await wish(versions), {
    logger,
    clock,
    stateFolder,
    stepKinds: [decrypt],
    loadPlugin: shelf({ provider: plugin('provider'), sink: plugin('sink'), ...plugins }),
    ...options,
  });
  hosts.push(host);
  await host.start(signal);
  story.length = 0;
  return host;
}

async function refusal(applying: Promise<unknown>): Promise<OctoError> {
  const error: unknown = await applying.catch((reason: unknown) => reason);
  if (error instanceof OctoError) return error;
  throw new Error('the manifest was taken', { cause: error });
}

describe('a changed manifest', () => {
  test('starts what changed beside what runs, and closes the old one after the swap', async () => {
    const host = await running({ acme: '1', bank: '1', lake: '1' });
    const before = new Map(host.instances);
    const plan = await host.apply(await wish({ acme: '1', bank: '2', lake: '1' }), signal);
    expect(plan.plugins).toMatchObject({ kept: ['acme', 'lake'], started: [{ id: 'bank' }] });
    await clock.advance(0);
    expect(story).toEqual(['start bank@2', 'close bank@1']);
    for (const id of ['acme', 'lake']) expect(host.instances.get(id)).toBe(before.get(id));
    expect(host.instances.get('bank')).not.toBe(before.get('bank'));
    expect([...host.instances.keys()]).toEqual(['acme', 'bank', 'lake']);
    expect(host.pipeline('from-bank').provider).toBe(host.instances.get('bank')?.plugin);
  });

  test('that changes nothing of what lives touches nobody', async () => {
    const host = await running({ acme: '1', lake: '1' });
    const before = [...host.instances.values()];
    const plan = await host.apply(await wish({ lake: '1', acme: '1' }), signal);
    await clock.advance(0);
    expect(plan.plugins.started).toEqual([]);
    expect(new Set(host.instances.values())).toEqual(new Set(before));
    expect(story).toEqual([]);
  });

  test('closes what was replaced in reverse order', async () => {
    const host = await running({ acme: '1', bank: '1', lake: '1' });
    await host.apply(await wish({ acme: '2', bank: '2', lake: '2' }), signal);
    await clock.advance(0);
    const closed = ['close lake@1', 'close bank@1', 'close acme@1'];
    expect(story).toEqual(['start acme@2', 'start bank@2', 'start lake@2', ...closed]);
  });

  test('makes steps anew only where they changed', async () => {
    const steps = [{ decrypt: { key: 'one' } }];
    const host = await running({ acme: '1', lake: '1' });
    await host.apply(await wish({ acme: '1', lake: '1' }, {}, { steps }), signal);
    const [made] = host.pipeline('from-acme').steps;
    await host.apply(await wish({ acme: '1', lake: '2' }, {}, { steps, key: 'x' }), signal);
    expect(host.pipeline('from-acme')).toMatchObject({
      config: { key: 'x' },
    });
    expect(host.pipeline('from-acme').steps[0]).toBe(made);
    expect(host.redact('one two')).toBe('one two');
    await host.apply(
      await wish({ acme: '1', lake: '2' }, {}, { steps: [{ decrypt: { key: 'second' } }] }),
      signal,
    );
    expect(host.redact('second')).toBe('[secret]');
    expect(story.filter((line) => line === 'make decrypt')).toHaveLength(2);
  });
});

describe('a manifest is refused, and everything stays as it was', () => {
  async function unchanged(host: InProcessHost, apply: () => Promise<unknown>): Promise<OctoError> {
    const { manifest, instances } = host;
    const states = [...instances.values()].map(({ state }) => state);
    const error = await refusal(apply());
    expect(host.manifest).toBe(manifest);
    expect(host.instances).toBe(instances);
    expect([...instances.values()].map(({ state }) => state)).toEqual(states);
    return error;
  }

  test('when its new sink cannot start: it says why, and what was started is closed', async () => {
    const life = (version: string): Lifecycle =>
      version === '1'
        ? {}
        : { start: () => Promise.reject(new PluginError('auth', 'the bucket is not ours')) };
    const host = await running({ acme: '1', lake: '1' }, { sink: plugin('sink', life) });
    const next = await wish({ acme: '2', lake: '2' });
    const error = await unchanged(host, () => host.apply(next, signal));
    expect(error).toMatchObject({ code: 'OCTO_INSTANCE_FAILED' });
    expect(error.message).toMatch(
      /^plugin 'lake' did not start: the bucket is not ours \(.*plugins\.json:1:\d+\)$/,
    );
    expect(story).toEqual(['start acme@2', 'close lake@2', 'close acme@2']);
    expect(host.pipeline('from-acme').sink).toBe(host.instances.get('lake')?.plugin);
  });

  test('when a start never ends, at its deadline', async () => {
    const life = (version: string): Lifecycle =>
      version === '1' ? {} : { start: () => new Promise(() => {}) };
    const host = await running({ acme: '1', lake: '1' }, { sink: plugin('sink', life) });
    const next = await wish({ acme: '1', lake: '2' });
    const refused = unchanged(host, () => host.apply(next, signal));
    await clock.untilSleeping();
    await clock.advance(30_000);
    expect((await refused).message).toContain('did not answer within 30000 ms');
  });

  test.each([
    ['import', 'OCTO_PLUGIN_THREW', undefined],
    ['constructor', 'OCTO_PLUGIN_CREATE', () => plugin('sink', (v) => (v === '1' ? {} : fail()))],
  ] as const)('when a plugin throws in its %s', async (_, code, made) => {
    const host = await running({ acme: '1', lake: '1' }, made ? { sink: made() } : {});
    const next = await wish(
      { acme: '2', lake: '2' },
      made ? {} : { plugins: { acme: { use: 'provider' }, lake: { use: 'none' } } },
    );
    const error = await unchanged(host, () => host.apply(next, signal));
    expect(error.code).toBe(code);
    expect(story.filter((line) => line.startsWith('start'))).toEqual([]);
  });

  test('when it loses most of its pipelines, unless it says so', async () => {
    const host = await running({ a: '1', b: '1', c: '1', d: '1', lake: '1' });
    const error = await unchanged(host, async () =>
      host.apply(await wish({ a: '1', lake: '1' }), signal),
    );
    expect(error.message).toMatch(
      /^'pipelines' lacks 3 of the 4 pipelines that run \('from-b', 'from-c', 'from-d'\); if that is meant, write "allowRemovals": true at the top/,
    );
    await host.apply(await wish({ a: '1', b: '1', lake: '1' }), signal);
    await host.apply(await wish({ lake: '1' }, { allowRemovals: true }), signal);
    expect([...host.instances.keys()]).toEqual(['lake']);
  });

  test('but pipelines that are switched off, or a single one that goes, are no loss', async () => {
    const host = await running({ a: '1', b: '1', c: '1', lake: '1' });
    await host.apply(
      await wish({ a: '1', b: '1', c: '1', lake: '1' }, {}, { enabled: false }),
      signal,
    );
    expect(() => host.pipeline('from-a')).toThrow('is switched off');
    await host.apply(await wish({ a: '1', lake: '1' }), signal);
    await host.apply(await wish({ lake: '1' }), signal);
    expect(() => host.pipeline('from-a')).toThrow(`there is no pipeline 'from-a'`);
  });

  test('when the host is told to stop meanwhile', async () => {
    const stop = new AbortController();
    const life = (version: string): Lifecycle =>
      version === '1' ? {} : { start: async () => stop.abort(new Error('enough')) };
    const host = await running({ acme: '1', lake: '1' }, { sink: plugin('sink', life) });
    const { manifest } = host;
    const next = await wish({ acme: '1', lake: '2' });
    await expect(host.apply(next, stop.signal)).rejects.toThrow('enough');
    expect(host.manifest).toBe(manifest);
    expect(story).toEqual(['close lake@2']);
  });
});

function fail(): never {
  throw new Error('no licence');
}

describe('a run', () => {
  test('ends with what it began with; the next one has the new plugins', async () => {
    const host = await running({ acme: '1', lake: '1' });
    const old = host.lease('from-acme');
    const { sink: oldSink } = old.pipeline;
    await host.apply(await wish({ acme: '1', lake: '2' }), signal);
    await clock.advance(60_000);
    expect(story).toEqual(['start lake@2']);
    expect([old.pipeline.sink, old.signal.aborted]).toEqual([oldSink, false]);
    using next = host.lease('from-acme');
    expect(next.pipeline.sink).toBe(host.instances.get('lake')?.plugin);
    old[Symbol.dispose]();
    await clock.advance(0);
    expect(story).toEqual(['start lake@2', 'close lake@1']);
  });

  test('holds only its own plugins', async () => {
    const host = await running({ acme: '1', bank: '1', lake: '1' });
    using _lease = host.lease('from-acme');
    await host.apply(await wish({ acme: '2', bank: '2', lake: '1' }), signal);
    await clock.advance(0);
    expect(story).toEqual(['start acme@2', 'start bank@2', 'close bank@1']);
  });

  test('holds what it has over several reloads', async () => {
    const host = await running({ acme: '1', lake: '1' });
    const lease = host.lease('from-acme');
    await host.apply(await wish({ acme: '1', lake: '2' }), signal);
    await host.apply(await wish({ acme: '2', lake: '1' }), signal);
    await clock.advance(0);
    expect(story).toEqual(['start lake@2', 'start acme@2', 'start lake@1', 'close lake@2']);
    story.length = 0;
    lease[Symbol.dispose]();
    await clock.advance(0);
    expect(story.toSorted()).toEqual(['close acme@1', 'close lake@1']);
  });

  test('of a pipeline that was removed ends by itself, or is aborted at the deadline', async () => {
    const host = await running(
      { acme: '1', bank: '1', lake: '1' },
      {},
      { retireDeadlineMs: 60_000 },
    );
    const good = host.lease('from-acme');
    const slow = host.lease('from-bank');
    const once = AbortSignal.any([slow.signal]);
    once.addEventListener('abort', () => slow[Symbol.dispose]());
    await host.apply(await wish({ lake: '1' }, { allowRemovals: true }), signal);
    good[Symbol.dispose]();
    await clock.advance(59_999);
    expect(story).toEqual(['close acme@1']);
    expect(slow.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(String(slow.signal.reason)).toContain('its plugins were replaced 60 s ago');
    expect(good.signal.aborted).toBe(false);
    expect(story).toEqual(['close acme@1', 'close bank@1']);
  });

  test('that does not let go when it is aborted is given up', async () => {
    const host = await running({ acme: '1', lake: '1' });
    const lease = host.lease('from-acme');
    await host.apply(await wish({ acme: '2', lake: '1' }), signal);
    await clock.advance(6 * 3_600_000);
    expect([lease.signal.aborted, story.length]).toEqual([true, 1]);
    await clock.advance(10_000);
    expect(story).toEqual(['start acme@2', 'close acme@1']);
  });

  test('is aborted when the host closes, and then everything is closed', async () => {
    const host = await running({ acme: '1', lake: '1' });
    const lease = host.lease('from-acme');
    lease.signal.addEventListener('abort', () => lease[Symbol.dispose]());
    await host.apply(await wish({ acme: '2', lake: '1' }), signal);
    await host[Symbol.asyncDispose]();
    expect(story).toEqual(['start acme@2', 'close acme@1', 'close lake@1', 'close acme@2']);
    expect(() => host.lease('from-acme')).toThrow('the host closes');
    await expect(host.apply(await wish({ acme: '1', lake: '1' }), signal)).rejects.toThrow(
      'closes',
    );
    expect(clock.pending).toBe(0);
  });
});

test('manifests are applied one at a time, in the order of the calls', async () => {
  const host = await running({ acme: '1', lake: '1' });
  const wishes = await Promise.all(
    ['2', '3', '1', '4'].map((version) => wish({ acme: version, lake: '1' })),
  );
  await Promise.all(wishes.map((next) => host.apply(next, signal)));
  await clock.advance(0);
  expect(story.filter((line) => line.startsWith('start'))).toEqual(
    ['2', '3', '1', '4'].map((version) => `start acme@${version}`),
  );
  expect(story.filter((line) => line.startsWith('close'))).toHaveLength(4);
  expect(host.manifest).toBe(wishes[3]);
});

test('a plugin that hangs or throws while it is closed holds up nothing', async () => {
  const life = (version: string): Lifecycle =>
    version === '1'
      ? { [Symbol.asyncDispose]: () => new Promise(() => {}) }
      : { [Symbol.asyncDispose]: () => Promise.reject(new Error('already gone')) };
  const host = await running({ acme: '1', lake: '1' }, { sink: plugin('sink', life) });
  await host.apply(await wish({ acme: '1', lake: '2' }), signal);
  await host.apply(await wish({ acme: '1', lake: '3' }), signal);
  await clock.advance(10_000);
  expect(logger.entries.map(({ fields }) => fields)).toEqual([
    { instance: 'lake', reason: `closing of plugin 'lake' did not answer within 10000 ms` },
    { instance: 'lake', reason: 'already gone' },
  ]);
});
