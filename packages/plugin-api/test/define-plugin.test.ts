import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  CLOCK,
  type Clock,
  CONTRACT_VERSION,
  definePlugin,
  isPluginDefinition,
  LOGGER,
  type Logger,
  type Provider,
  STATE_FOLDER,
} from '../src/index.ts';

const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['folder'],
  properties: {
    folder: { type: 'string' },
    depth: { type: 'integer', default: 1 },
    tag: { type: 'string' },
  },
} as const;

const provider: Provider = { settleMs: 0, connect: () => Promise.reject(new Error('no')) };

describe('definePlugin', () => {
  test('makes one frozen object with a brand and the version of the contract', () => {
    const create = () => provider;
    const plugin = definePlugin({ name: 'acme', kind: 'provider', configSchema, create });
    expect(plugin).toEqual({
      $octo: '@octo/plugin',
      contract: CONTRACT_VERSION,
      name: 'acme',
      kind: 'provider',
      configSchema,
      inject: {},
      create,
    });
    expect(Object.isFrozen(plugin)).toBe(true);
  });

  test('keeps the wanted services', () => {
    const inject = { time: CLOCK };
    const plugin = definePlugin({
      name: 'a',
      kind: 'provider',
      configSchema,
      inject,
      create: () => provider,
    });
    expect(plugin.inject).toBe(inject);
  });

  test('does not let a spec claim another brand or contract', () => {
    const spec = { name: 'a', kind: 'provider' as const, configSchema, create: () => provider };
    const claims = { ...spec, $octo: 'mine', contract: 99 };
    expect(definePlugin(claims)).toMatchObject({
      $octo: '@octo/plugin',
      contract: CONTRACT_VERSION,
    });
  });

  test('gives create the types of its configuration and services', () => {
    definePlugin({
      name: 'typed',
      kind: 'provider',
      configSchema: {
        type: 'object',
        additionalProperties: false,
        required: ['folder'],
        properties: {
          folder: { type: 'string' },
          depth: { type: 'integer', default: 1 },
          tag: { type: 'string' },
        },
      },
      inject: { time: CLOCK, log: LOGGER, place: STATE_FOLDER },
      create: ({ id, config, logger, baseFolder, time, log, place }) => {
        expectTypeOf(id).toEqualTypeOf<string>();
        expectTypeOf(config.folder).toEqualTypeOf<string>();
        expectTypeOf(config.depth).toEqualTypeOf<number>();
        expectTypeOf(config.tag).toEqualTypeOf<string | undefined>();
        expectTypeOf(config).not.toHaveProperty('other');
        expectTypeOf(logger).toEqualTypeOf<Logger>();
        expectTypeOf(baseFolder).toEqualTypeOf<string>();
        expectTypeOf(time).toEqualTypeOf<Clock>();
        expectTypeOf(log).toEqualTypeOf<Logger>();
        expectTypeOf(place).toEqualTypeOf<string>();
        return provider;
      },
    });
  });

  test('does not accept what is of another kind, or waits', () => {
    // @ts-expect-error a provider is no sink
    definePlugin({ name: 'a', kind: 'sink', configSchema, create: () => provider });
    // @ts-expect-error create does not wait
    definePlugin({ name: 'a', kind: 'provider', configSchema, create: async () => provider });
    // @ts-expect-error there is no such kind
    definePlugin({ name: 'a', kind: 'accounts', configSchema, create: () => provider });
    expect.assertions(0);
  });
});

describe('isPluginDefinition', () => {
  test('knows a definition of another copy of the contract', () => {
    const plugin = definePlugin({
      name: 'a',
      kind: 'provider',
      configSchema,
      create: () => provider,
    });
    expect(isPluginDefinition(plugin)).toBe(true);
    expect(isPluginDefinition(JSON.parse(JSON.stringify(plugin)))).toBe(true);
  });

  test.each([undefined, null, 'plugin', 7, {}, { $octo: '@octo/other' }, () => provider])(
    'is not taken in by %s',
    (value) => {
      expect(isPluginDefinition(value)).toBe(false);
    },
  );
});
