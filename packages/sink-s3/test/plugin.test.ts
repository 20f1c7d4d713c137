import { isPluginDefinition } from '@octo/plugin-api';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import definition from '../src/index.ts';

test('the package exports a sink that keeps its credentials secret', () => {
  expect(isPluginDefinition(definition)).toBe(true);
  expect(definition).toMatchObject({ name: 's3', kind: 'sink' });
  const { credentials } = definition.configSchema.properties ?? {};
  const fields = Object.values(credentials?.properties ?? {});
  expect(fields.map(({ secret }) => secret)).toEqual([true, true, true]);
});

test('loading it loads no SDK', async () => {
  const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const script = `await import(${JSON.stringify(source)});
    const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('client-s3')).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=octo-source',
    '--input-type=module',
    '--eval',
    script,
  ]);
  expect(stdout.trim()).toBe('0');
});
