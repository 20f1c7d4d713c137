import { expect, test } from 'vitest';
import { secretsOf } from '../../src/host/secrets-of.ts';
import { manifestOf } from './fake-plugins.ts';

const env = { VENDOR: 'the value' };

/** What is secret of a manifest in which one place of the configuration has this text. */
async function secretsAt(
  place: string,
  text: string,
  options: { known?: boolean; marked?: boolean } = {},
) {
  const pointer = `/plugins/a/config/${place}`;
  const manifest = await manifestOf(
    { plugins: { a: { use: 'p', config: { [place]: text } } } },
    {
      ...env,
      API_TOKEN: 'the value',
      HOST_KEY: 'the value',
    },
  );
  const secrets = new Map(
    options.marked === true ? [[pointer, manifest.plugins.get('a')?.config[place]]] : [],
  );
  return secretsOf(manifest, { secrets, isKnown: () => options.known !== false });
}

test.each([
  ['host', '${env:VENDOR}'],
  ['hostKeys', '${env:HOST_KEY}'],
])('at %s, %s can be named in an error', async (place, text) => {
  expect(await secretsAt(place, text)).toEqual([]);
});

test.each([
  ['by the name of the place', 'apiKey', '${env:VENDOR}', {}],
  ['by the name of the variable', 'extra', '${env:API_TOKEN}', {}],
  ['as a part of something', 'url', 'https://${env:VENDOR}@x', {}],
  ['at a place that nobody has looked at', 'host', '${env:VENDOR}', { known: false }],
])('what a reference resolved to is secret %s', async (_, place, text, options) => {
  expect(await secretsAt(place, text, options)).toEqual(['the value']);
});

test('what comes from the store of secrets is secret, whatever is said of its place', async () => {
  const found = { value: 'the value', grants: ['*'] };
  const secrets = { files: [], open: async () => ({ names: [], find: () => found }) };
  const manifest = await manifestOf(
    { plugins: { a: { use: 'p', config: { host: '${secret:plain}' } } } },
    {},
    secrets,
  );
  expect(secretsOf(manifest, { secrets: new Map(), isKnown: () => true })).toEqual(['the value']);
});

test('what stands at a marked place is secret, wherever it came from', async () => {
  expect(await secretsAt('host', 'plain', { marked: true })).toEqual(['plain']);
  expect(new Set(await secretsAt('host', '${env:VENDOR}', { marked: true }))).toEqual(
    new Set(['the value']),
  );
});
