import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTIONS, parseScopes } from '../../src/auth/scope.ts';
import { openSite, type Site } from './site.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../../../docs/api.md'), 'utf8');
const [shell = ''] = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text ?? '');
const examples = shell
  .split(/\n\n/)
  .map((part) => part.replaceAll(/^#.*\n/gm, '').trim())
  .filter((part) => part !== '');

let site: Site;
let env: Record<string, string>;
beforeAll(async () => {
  site = await openSite();
  const { key, text } = await site.keys.create({ name: 'docs', scopes: parseScopes(['admin']) });
  const { PATH = '' } = process.env;
  env = { PATH, OCTO_URL: site.url, OCTO_KEY: text, OCTO_KEY_ID: key.id };
});
afterAll(() => site[Symbol.asyncDispose]());

test.each(examples)('an example of docs/api.md works: %s', async (example) => {
  // The page's pipeline has a name that this site does not know.
  const command = example.replace('settlements', 'trades');
  const { stdout } = await run('sh', ['-c', command], { env });
  const answer = JSON.parse(stdout) as Record<string, unknown>;
  expect(answer).not.toHaveProperty('status');
  expect(answer).not.toHaveProperty('error');
  expect(Object.keys(answer).length).toBeGreaterThan(0);
});

test('docs/api.md has examples, and knows every scope', () => {
  expect(examples).toHaveLength(5);
  for (const action of ACTIONS) expect(page).toContain(`\`${action}\``);
});
