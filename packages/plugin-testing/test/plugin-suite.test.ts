import { CLOCK, definePlugin, STATE_FOLDER } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { MemorySink } from '../src/memory-sink.ts';
import { pluginSuite } from '../src/plugin-suite.ts';
import { configCheck, schemaFaults } from '../src/schema-faults.ts';
import { FolderProvider } from './folder-provider.ts';

pluginSuite(
  definePlugin({
    name: 'memory',
    kind: 'sink',
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { smallBytes: { type: 'integer', minimum: 0, default: 0 } },
      examples: [{}, { smallBytes: 1024 }],
    },
    inject: { clock: CLOCK },
    create: ({ config, clock }) =>
      new MemorySink({ smallBytes: config.smallBytes, now: () => clock.now() }),
  }),
);

pluginSuite(
  definePlugin({
    name: 'folder',
    kind: 'provider',
    configSchema: {
      type: 'object',
      required: ['folder'],
      additionalProperties: false,
      properties: { folder: { type: 'string' }, password: { type: 'string', secret: true } },
      examples: [{ folder: './in' }],
    },
    inject: { state: STATE_FOLDER, special: { id: 'test:special@1' } },
    create: ({ config }) => new FolderProvider(config.folder),
  }),
  { services: { 'test:special@1': {} } },
);

test('an object that takes unknown properties is found at every level', () => {
  const loose = { type: 'object', properties: { a: { type: 'string' } } } as const;
  expect(
    schemaFaults({
      type: 'object',
      properties: { list: { type: 'array', items: loose }, one: { oneOf: [loose] } },
    }),
  ).toEqual([
    '/ takes unknown properties: set additionalProperties to false',
    '/properties/list/items takes unknown properties: set additionalProperties to false',
    '/properties/one/oneOf/0 takes unknown properties: set additionalProperties to false',
  ]);
});

test('branches that only add conditions to a closed object are no objects of their own', () => {
  expect(
    schemaFaults({
      type: 'object',
      additionalProperties: false,
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    }),
  ).toEqual([]);
});

test('a schema that is none is found', () => {
  const faults = schemaFaults({
    type: 'object',
    additionalProperties: false,
    minimum: 'x' as never,
  });
  expect(faults).toEqual([expect.stringContaining('draft 2020-12')]);
});

test('a configuration that does not satisfy its schema is told where', () => {
  const check = configCheck({
    type: 'object',
    additionalProperties: false,
    properties: { port: { type: 'integer' } },
  });
  expect(check({ port: 'x' })).toEqual(['/port must be integer']);
  expect(check({ port: 22 })).toEqual([]);
});
