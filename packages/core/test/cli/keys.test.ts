import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { octoHost, testEnvironment } from './test-environment.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

const keys = async (...args: readonly string[]) =>
  await octoHost(['keys', ...args], testEnvironment({ cwd: folder }));

test('a key is made, shown once, listed and revoked', async () => {
  const scopes = ['--scope', 'runs:read, runs:write:affirm-*'];
  const made = await keys('create', '--name', 'ci', ...scopes, '--expires', '90d');
  expect(made.code).toBe(0);
  expect(made.stdout.text).toMatch(/^octo_[0-9a-f]{16}_[\w-]{43}\n$/);
  const [, id = '', secret = ''] = /^octo_([0-9a-f]{16})_(.*)\n$/.exec(made.stdout.text) ?? [];
  expect(made.stderr.text).toBe(`key ${id}, 'ci': keep it now, it is not shown again\n`);
  const listed = await keys('list');
  expect(listed.stdout.lines[1]).toMatch(
    new RegExp(`^${id} +ci +good +2026-04-16 03:45:00 +never +runs:read runs:write:affirm-\\*$`),
  );
  expect(listed.stdout.text).not.toContain(secret);
  expect((await keys('revoke', id)).stdout.text).toBe(`revoked ${id}, 'ci'\n`);
  const after = JSON.parse((await keys('list', '--json')).stdout.text) as { keys: object[] };
  expect(after.keys).toMatchObject([
    { id, scopes: ['runs:read', 'runs:write:affirm-*'], revokedAt: expect.any(String) },
  ]);
  const audited = await octoHost(['audit', 'export'], testEnvironment({ cwd: folder }));
  expect(audited.stdout.lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { action: 'key.create', target: 'ci', actor: { kind: 'operator' } },
    { action: 'key.revoke', target: id },
  ]);
  expect(audited.stdout.text).not.toContain(secret);
});

test('to revoke a key that is not there is recorded as what failed', async () => {
  await keys('revoke', 'f'.repeat(16));
  const audited = await octoHost(['audit', 'export'], testEnvironment({ cwd: folder }));
  const last = JSON.parse(audited.stdout.lines.at(-1)!) as object;
  expect(last).toMatchObject({ action: 'key.revoke', target: 'f'.repeat(16), outcome: 'failed' });
});

test.each([
  [['create', '--scope', 'admin'], '--name says what the key is for'],
  [['create', '--name', 'ci'], '--scope says what the key may do'],
  [['create', '--name', 'ci', '--scope', 'runs:delete'], "the scope 'runs:delete' is not known"],
  [['create', '--name', 'ci', '--scope', 'admin', '--expires', 'soon'], '--expires is a period'],
  [
    ['create', '--name', 'ci', '--scope', 'admin', '--expires', '2020-01-01'],
    '--expires is a period',
  ],
  [['revoke', 'nobody'], "there is no key 'nobody'"],
])('keys %j is refused with what to do', async (args, problem) => {
  const { code, stderr, stdout } = await keys(...args);
  expect([code, stdout.text]).toEqual([2, '']);
  expect(stderr.text).toContain(problem);
});
