import { expect, test } from 'vitest';
import { openWorkshop, pluginModule } from './workshop.ts';

const never = new AbortController().signal;

/** Tells when it is asked, and has one file or is away. */
const vendor = pluginModule(
  'provider',
  `
  const file = { path: 'a.csv', name: 'a.csv', size: 1, mtimeMs: 1000, complete: true };
  return { settleMs: 0, connect: async () => {
    logger.info({ token: config.token }, id + ' is asked');
    if (config.away) throw Object.assign(new Error('away'), { $octo: '@octo/plugin-error', type: config.away });
    return {
      list: async function* () { yield file; }, stat: async () => file, read: async function* () { yield Buffer.from('x'); },
      async [Symbol.asyncDispose]() {},
    };
  } };`,
  `{ away: { type: 'string' }, token: { type: 'string' } }`,
);

const plugins = (away: string) => ({
  own: {
    use: './plugins/vendor/index.mjs',
    policy: { attempts: 1 },
    config: { away, token: 'of-own' },
  },
  another: { use: './plugins/vendor/index.mjs', config: { token: 'of-another' } },
  out: { use: '@octo/sink-fs', config: { directory: './out' } },
});
const pipeline = {
  to: 'out',
  key: '{name}',
  doubleRead: false,
};

test.each(['network', 'auth', 'provider_down'])(
  'when the provider of a pipeline fails with %s, no other one is asked, although it has the same files',
  async (away) => {
    const workshop = await openWorkshop();
    await workshop.file('plugins/vendor/index.mjs', vendor);
    const { host, run } = await workshop.host({
      plugins: plugins(away),
      pipelines: {
        settlements: { ...pipeline, from: 'own' },
        trades: { ...pipeline, from: 'another' },
      },
    });
    await host.start(never);
    await expect(run('settlements')).rejects.toMatchObject({ type: away });
    const asked = workshop.logger.messages().filter((one) => one.endsWith('is asked'));
    expect(new Set(asked)).toEqual(new Set(['own is asked']));
    expect(await workshop.contents('out')).toEqual({});
    expect((await run('trades')).delivered).toHaveLength(1);
  },
);

test('a pipeline has one provider: a second one to fall back on is refused', async () => {
  const workshop = await openWorkshop();
  await workshop.file('plugins/vendor/index.mjs', vendor);
  const manifest = {
    plugins: plugins('network'),
    pipelines: { settlements: { ...pipeline, from: ['own', 'another'] } },
  };
  await expect(workshop.manifest(manifest)).rejects.toMatchObject({
    code: 'OCTO_MANIFEST_INVALID',
  });
});
