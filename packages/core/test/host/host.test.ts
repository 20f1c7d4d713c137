import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CLOCK,
  type Clock,
  type ConfigSchema,
  definePlugin,
  type Lifecycle,
  LOGGER,
  type Logger,
  PluginError,
  STATE_FOLDER,
} from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostOptions } from '../../src/host/host.ts';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import { Redactor } from '../../src/observe/redactor.ts';
import type { StepKind } from '../../src/pipeline/step.ts';
import { manifestOf, provider, shelf, sink } from './fake-plugins.ts';

const configSchema = { type: 'object', additionalProperties: false } as const;
const signal = new AbortController().signal;

const vendor = (life: Lifecycle = {}) =>
  definePlugin({ name: 'vendor', kind: 'provider', configSchema, create: () => provider(life) });
const lake = (life: Lifecycle = {}) =>
  definePlugin({ name: 'lake', kind: 'sink', configSchema, create: () => sink(life) });

const stepKind = (name: string, optionsSchema: ConfigSchema): StepKind => ({
  name,
  optionsSchema,
  create: async (options: Record<string, unknown>) => {
    if (options.keys === 'unreadable') throw new PluginError('validation', `a key is unreadable`);
    return {
      name,
      rename: (file) => `${file}.${name}`,
      provesIntegrity: () => false,
      run: () => [] as never,
    };
  },
});
const stepKinds: readonly StepKind[] = [
  stepKind('decrypt', {
    ...configSchema,
    required: ['keys'],
    properties: { keys: { type: 'string', secret: true } },
  }),
  stepKind('decompress', configSchema),
];

let stateFolder: string;
let clock: ManualClock;
let logger: RecordingLogger;
let hosts: InProcessHost[];
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'octo-state-'));
  clock = new ManualClock();
  logger = new RecordingLogger();
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
  await rm(stateFolder, { recursive: true });
});

async function hostOf(
  text: string | object,
  plugins: Parameters<typeof shelf>[0],
  options: Partial<HostOptions> & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<InProcessHost> {
  const host = await InProcessHost.create(await manifestOf(text, options.env), {
    logger,
    clock,
    stateFolder,
    stepKinds,
    loadPlugin: shelf(plugins),
    ...options,
  });
  hosts.push(host);
  return host;
}

async function issuesOf(...args: Parameters<typeof hostOf>) {
  const error: unknown = await hostOf(...args).catch((reason: unknown) => reason);
  if (!(error instanceof OctoError)) throw new Error('the host was made', { cause: error });
  return error.issues.map(
    ({ code, message }) => `${code} ${message.replace(/\([^(]*plugins.json/, '(plugins.json')}`,
  );
}

const pair = { vendor: { use: 'v' }, lake: { use: 'l' } };
const pipeline = { from: 'vendor', to: 'lake', key: '{name}' };

describe('a plugin is created', () => {
  test('with its configuration, its id, its folder and the services that it wants', async () => {
    let seen: Record<string, unknown> = {};
    const plugin = definePlugin({
      name: 'curious',
      kind: 'provider',
      configSchema: { ...configSchema, properties: { size: { type: 'integer', default: 3 } } },
      inject: { time: CLOCK, logger: LOGGER, place: STATE_FOLDER },
      create: (context) => {
        seen = { ...context };
        return provider();
      },
    });
    const host = await hostOf({ plugins: { one: { use: 'p' } } }, { p: plugin });
    expect(seen).toMatchObject({
      id: 'one',
      config: { size: 3 },
      baseFolder: host.manifest.folder,
    });
    expect(seen.time).toBe(clock);
    expect(seen.place).toBe(join(stateFolder, 'instances', 'one'));
    (seen.logger as Logger).info({ files: 2, instance: 'another' }, 'listed');
    expect(logger.entries).toMatchObject([
      { level: 'info', message: 'listed', fields: { files: 2, instance: 'one' } },
    ]);
  });

  test('for each instance, from code that is loaded once', async () => {
    let loads = 0;
    const load = async () => {
      loads++;
      return vendor();
    };
    const host = await hostOf(
      { plugins: { a: { use: 'v' }, b: { use: 'v' } } },
      {},
      { loadPlugin: load },
    );
    expect([...host.instances.keys()]).toEqual(['a', 'b']);
    expect(host.instances.get('a')?.plugin).not.toBe(host.instances.get('b')?.plugin);
    expect(loads).toBe(1);
  });

  test('unless it is switched off: then it is not even loaded', async () => {
    const manifest = { plugins: { ...pair, off: { use: 'none', enabled: false } } };
    const host = await hostOf(manifest, { v: vendor(), l: lake() });
    expect([...host.instances.keys()]).toEqual(['vendor', 'lake']);
  });
});

describe('a host is refused', () => {
  test('with everything that is wrong, in the order of the file', async () => {
    const strict = definePlugin({
      name: 'strict',
      kind: 'sink',
      configSchema: {
        ...configSchema,
        required: ['bucket'],
        properties: { bucket: { type: 'string' } },
      },
      create: () => sink(),
    });
    const text = `{
  "plugins": {
    "lake": { "use": "s", "config": { "buckte": "b" } },
    "vendor": { "use": "broken" } },
  "pipelines": {
    "one": { "from": "lake", "to": "vendor", "key": "{name}",
      "steps": ["decompres", { "decompress": { "level": 9 } }, "decrypt"] } } }`;
    const load: HostOptions['loadPlugin'] = async (use) => {
      if (use === 's') return strict;
      throw new OctoError('OCTO_PLUGIN_THREW', `'${use}' failed while it was loaded: no licence`);
    };
    expect(await issuesOf(text, {}, { loadPlugin: load })).toEqual([
      `OCTO_CONFIG_INVALID plugin 'lake': config/buckte is not known; did you mean 'bucket'? (plugins.json:3:39)`,
      `OCTO_PLUGIN_THREW plugin 'vendor': 'broken' failed while it was loaded: no licence (plugins.json:4:15)`,
      `OCTO_INSTANCE_WRONG_KIND pipeline 'one': from names 'lake', which is a sink, not a provider (plugins.json:6:22)`,
      `OCTO_STEP_UNKNOWN pipeline 'one': steps/0 names 'decompres', which is no step; did you mean 'decompress'? (plugins.json:7:17)`,
      `OCTO_STEP_OPTIONS pipeline 'one': steps/1/decompress/level is not known (plugins.json:7:48)`,
      `OCTO_STEP_OPTIONS pipeline 'one': steps/2/decrypt/keys is missing (plugins.json:7:64)`,
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new PluginError('validation', 'host and directory exclude each other');
      },
      'host and directory exclude each other',
    ],
    [
      'throws anything',
      () => {
        throw new Proxy(
          {},
          {
            get: () => {
              throw new Error('bomb');
            },
          },
        );
      },
      'an object that is no error was thrown',
    ],
    [
      'waits',
      () => Promise.resolve(provider()),
      `'v' has an asynchronous create; what waits belongs into 'start'`,
    ],
    ['makes nothing', () => undefined, `'v' made nothing where a provider is expected`],
    ['makes something else', () => sink(), `'v' made a provider without a number 'settleMs'`],
    [
      'forgets a method',
      () => ({ ...provider(), connect: 7 }),
      `'v' made a provider without a function 'connect'`,
    ],
  ])('when create %s', async (_, create, message) => {
    const plugin = { ...vendor(), create: create as never };
    expect(await issuesOf({ plugins: { vendor: { use: 'v' } } }, { v: plugin })).toEqual([
      `OCTO_PLUGIN_CREATE plugin 'vendor': ${message} (plugins.json:1:22)`,
    ]);
  });

  test('when a plugin wants what the host does not have', async () => {
    const plugin = { ...vendor(), inject: { http: { id: 'octo:http@1' } } };
    expect(await issuesOf({ plugins: { vendor: { use: 'v' } } }, { v: plugin })).toEqual([
      `OCTO_TOKEN_UNKNOWN plugin 'vendor': 'v' wants the service 'octo:http@1' as 'http'; this host has 'octo:logger@1', 'octo:clock@1', 'octo:state-folder@1', 'octo:sync-to-disk@1' or 'octo:rate-limit@1' (plugins.json:1:22)`,
    ]);
  });

  test('when a plugin wants a service under a name that is taken', async () => {
    const plugin = { ...vendor(), inject: { config: LOGGER } };
    const [issue] = await issuesOf({ plugins: { vendor: { use: 'v' } } }, { v: plugin });
    expect(issue).toContain(`wants a service under the name 'config', which the host itself uses`);
  });

  test('when a plugin’s schema lets typing errors pass', async () => {
    const plugin = { ...vendor(), configSchema: { type: 'object' as const } };
    expect(await issuesOf({ plugins: { vendor: { use: 'v' } } }, { v: plugin })).toEqual([
      `OCTO_PLUGIN_SCHEMA plugin 'vendor': 'v' has a configuration schema that is not right: its root must have "additionalProperties": false (plugins.json:1:22)`,
    ]);
  });

  test('when the code of a plugin never finishes loading', async () => {
    const load: HostOptions['loadPlugin'] = () => new Promise(() => {});
    const issues = issuesOf({ plugins: { vendor: { use: 'v' } } }, {}, { loadPlugin: load });
    await clock.untilSleeping();
    await clock.advance(60_000);
    expect(await issues).toEqual([
      `OCTO_PLUGIN_THREW plugin 'vendor': loading of 'v' did not answer within 60000 ms (plugins.json:1:22)`,
    ]);
  });

  test('when a step cannot be built', async () => {
    const steps = [{ decrypt: { keys: 'unreadable' } }];
    const manifest = { plugins: pair, pipelines: { one: { ...pipeline, steps } } };
    const [issue] = await issuesOf(manifest, { v: vendor(), l: lake() });
    expect(issue).toContain(`OCTO_STEP_OPTIONS pipeline 'one': steps/0/decrypt: a key is`);
  });
});

describe('a pipeline', () => {
  const plugins = { v: vendor(), l: lake() };

  test('has its living instances, its policies and its steps', async () => {
    const steps = ['decompress', { decrypt: { keys: 'k' } }];
    const manifest = {
      plugins: { ...pair, vendor: { use: 'v', policy: { attempts: 9 } } },
      pipelines: { one: { ...pipeline, steps }, plain: pipeline },
    };
    const host = await hostOf(manifest, plugins);
    const one = host.pipeline('one');
    expect(one.provider).toBe(host.instances.get('vendor')?.plugin);
    expect(one.sink).toBe(host.instances.get('lake')?.plugin);
    expect([one.providerPolicy.attempts, one.sinkPolicy.attempts]).toEqual([9, 4]);
    expect(one.steps.map(({ name }) => name)).toEqual(['decompress', 'decrypt']);
  });

  test.each([
    ['on', 'OCTO_PIPELINE_UNKNOWN', `there is no pipeline 'on'; did you mean 'one'?`],
    ['off', 'OCTO_PIPELINE_DISABLED', `pipeline 'off' is switched off: "enabled": false`],
    [
      'lame',
      'OCTO_PIPELINE_DISABLED',
      `pipeline 'lame' cannot run: its plugin 'asleep' is switched off: "enabled": false`,
    ],
  ])('is refused: %s', async (id, code, message) => {
    const manifest = {
      plugins: { ...pair, asleep: { use: 'none', enabled: false } },
      pipelines: {
        one: pipeline,
        off: { ...pipeline, enabled: false, steps: ['nonsense'] },
        lame: { ...pipeline, to: 'asleep' },
      },
    };
    const host = await hostOf(manifest, plugins);
    expect(() => host.pipeline(id)).toThrow(expect.objectContaining({ code, message }));
  });
});

describe('the life of instances', () => {
  const three = { plugins: { a: { use: 'a' }, b: { use: 'b' }, c: { use: 'c' } } };
  const told = (name: string, story: string[], life: Lifecycle = {}): Lifecycle => ({
    start: async () => void story.push(`start ${name}`),
    [Symbol.asyncDispose]: async () => void story.push(`dispose ${name}`),
    ...life,
  });

  test('begins in the order of the manifest and ends in reverse, once', async () => {
    const story: string[] = [];
    const plugins = {
      a: vendor(told('a', story)),
      b: lake(told('b', story)),
      c: vendor(told('c', story)),
    };
    const host = await hostOf(three, plugins);
    expect(host.instances.get('a')?.state).toEqual({ state: 'created' });
    await host.start(signal);
    expect(host.instances.get('a')?.state).toEqual({ state: 'started' });
    await Promise.all([host[Symbol.asyncDispose](), host[Symbol.asyncDispose]()]);
    expect(host.instances.get('a')?.state).toEqual({ state: 'disposed' });
    expect(story).toEqual(['start a', 'start b', 'start c', 'dispose c', 'dispose b', 'dispose a']);
  });

  test('fails alone: the others run, and its pipelines say why', async () => {
    const manifest = {
      plugins: { ...pair, spare: { use: 's' } },
      pipelines: { one: pipeline, two: { ...pipeline, from: 'spare' } },
    };
    const cause = new PluginError('auth', 'the vendor refuses the key');
    const plugins = { v: vendor({ start: () => Promise.reject(cause) }), l: lake(), s: vendor() };
    const host = await hostOf(manifest, plugins);
    await host.start(signal);
    expect(host.instances.get('vendor')?.state).toMatchObject({ state: 'failed', cause });
    expect(host.pipeline('two').config.id).toBe('two');
    expect(() => host.pipeline('one')).toThrow(
      expect.objectContaining({
        code: 'OCTO_INSTANCE_FAILED',
        message: `pipeline 'one' cannot run: plugin 'vendor' did not start: the vendor refuses the key`,
        cause,
      }),
    );
    expect(logger.entries).toMatchObject([{ level: 'error', fields: { instance: 'vendor' } }]);
  });

  test('does not wait for ever for a start, even one that ignores its signal', async () => {
    const plugins = { a: vendor({ start: () => new Promise(() => {}) }), b: lake(), c: vendor() };
    const host = await hostOf(three, plugins);
    const starting = host.start(signal);
    await clock.untilSleeping();
    await clock.advance(30_000);
    await starting;
    expect(host.instances.get('a')?.state).toMatchObject({
      state: 'failed',
      reason: `start of plugin 'a' did not answer within 30000 ms`,
    });
    expect(host.instances.get('c')?.state).toEqual({ state: 'started' });
  });

  test('stops starting when it is told to', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const plugins = {
      a: vendor({ start: async () => stop.abort(reason) }),
      b: lake({ start: () => Promise.reject(new Error('must not be started')) }),
      c: vendor(),
    };
    const host = await hostOf(three, plugins);
    await expect(host.start(stop.signal)).rejects.toBe(reason);
    expect(host.instances.get('b')?.state).toEqual({ state: 'created' });
  });

  test('says that it was told to stop, not that a plugin failed', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const plugins = { a: vendor({ start: () => new Promise(() => {}) }), b: lake(), c: vendor() };
    const host = await hostOf(three, plugins);
    const starting = host.start(stop.signal);
    await clock.untilSleeping();
    stop.abort(reason);
    await expect(starting).rejects.toBe(reason);
    expect(host.instances.get('a')?.state).toEqual({ state: 'created' });
  });

  test('ends for all, although one throws and one hangs', async () => {
    const story: string[] = [];
    const plugins = {
      a: vendor(told('a', story)),
      b: lake({ [Symbol.asyncDispose]: () => new Promise(() => {}) }),
      c: vendor({ [Symbol.asyncDispose]: () => Promise.reject(new Error('already gone')) }),
    };
    const host = await hostOf(three, plugins, { disposeDeadlineMs: 500 });
    const closing = host[Symbol.asyncDispose]();
    await clock.untilSleeping();
    await clock.advance(500);
    await closing;
    expect(story).toEqual(['dispose a']);
    expect(logger.entries.map(({ fields }) => fields)).toEqual([
      { instance: 'c', reason: 'already gone' },
      { instance: 'b', reason: `closing of plugin 'b' did not answer within 500 ms` },
    ]);
  });

  test('has a private folder for those who ask, before they start', async () => {
    let mode = 0;
    const plugin = definePlugin({
      name: 'keeper',
      kind: 'sink',
      configSchema,
      inject: { folder: STATE_FOLDER },
      create: ({ folder }) => sink({ start: async () => void (mode = (await stat(folder)).mode) }),
    });
    const host = await hostOf(three, { a: vendor(), b: plugin, c: vendor() });
    await host.start(signal);
    expect(mode & 0o777).toBe(0o700);
    await expect(stat(join(stateFolder, 'instances', 'a'))).rejects.toThrow('ENOENT');
  });

  test('is asked for its health within its time', async () => {
    const plugins = { a: vendor({ health: () => new Promise(() => {}) }), b: lake(), c: vendor() };
    const host = await hostOf(three, plugins);
    await host.instances.get('b')?.health(signal);
    const late = host.instances
      .get('a')
      ?.health(signal)
      .catch((error: unknown) => error);
    await clock.untilSleeping();
    await clock.advance(30_000);
    expect(await late).toMatchObject({ type: 'network', code: 'TIMEOUT' });
  });
});

describe('secrets', () => {
  const schema = {
    ...configSchema,
    properties: {
      host: { type: 'string' },
      url: { type: 'string' },
      key: { type: 'string' },
      port: { type: 'integer' },
      password: { type: 'string', secret: true },
      pins: { type: 'array', items: { type: 'integer' }, secret: true },
    },
  } as const;
  const chatty = (
    say: (config: Readonly<Record<string, unknown>>, log: Logger, time: Clock) => void,
  ) =>
    definePlugin({
      name: 'chatty',
      kind: 'provider',
      configSchema: schema,
      inject: { time: CLOCK },
      create: ({ config, logger: log, time }) => {
        say(config, log, time);
        return provider();
      },
    });
  const manifest = {
    plugins: {
      a: {
        use: 'p',
        config: {
          host: '${env:HOST}',
          url: 'https://${env:USER}@x',
          key: '${env:API_KEY}',
          port: '${env:PORT}',
          password: 'hunter2!',
        },
      },
    },
  };
  const env = { HOST: 'sftp.example.com', USER: 'northwind', API_KEY: 'abc-123', PORT: '2222' };

  test('never reach a log, whatever the plugin writes', async () => {
    const plugin = chatty((config, log) => {
      log.info(
        { config, error: new Error(`refused ${String(config.password)}`) },
        `at ${String(config.url)}`,
      );
    });
    await hostOf(manifest, { p: plugin }, { env });
    const log = JSON.stringify(logger.entries);
    for (const secret of ['hunter2!', 'northwind', 'abc-123']) expect(log).not.toContain(secret);
    expect(log).toContain('sftp.example.com');
    expect(log).toContain('2222');
  });

  test('never reach an error of the host', async () => {
    const plugin = chatty((config) => {
      throw new Error(`cannot use ${String(config.password)}`);
    });
    const [issue] = await issuesOf(manifest, { p: plugin }, { env });
    expect(issue).toContain('cannot use [secret]');
  });

  test('are known to whoever brought the redactor', async () => {
    const redactor = new Redactor();
    const host = await hostOf(manifest, { p: chatty(() => {}) }, { env, redactor });
    expect(redactor.redact('hunter2! sftp.example.com abc-123')).toBe(
      '[secret] sftp.example.com [secret]',
    );
    expect(host.redact('hunter2!')).toBe('[secret]');
  });

  test('include everything that no schema has looked at', async () => {
    const off = { ...manifest.plugins.a, use: 'none', enabled: false };
    const redactor = new Redactor();
    await hostOf({ plugins: { off, on: { use: 'v' } } }, { v: vendor() }, { env, redactor });
    expect(redactor.redact('sftp.example.com')).toBe('[secret]');
  });
});
