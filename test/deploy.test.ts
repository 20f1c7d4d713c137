import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, 'deploy', path), 'utf8');
const analyze = '/usr/bin/systemd-analyze';

test.skipIf(!existsSync(analyze))('systemd finds little that the unit leaves open', () => {
  const unit = join(root, 'deploy/octo-host.service');
  const said = execFileSync(analyze, ['security', '--offline=true', '--no-pager', unit], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [, level = '10'] =
    /Overall exposure level for octo-host.service: ([\d.]+)/.exec(said) ?? [];
  expect(Number(level)).toBeLessThanOrEqual(1.5);
});

test('the unit dumps no memory, makes private files and is nobody who could do harm', () => {
  const lines = read('octo-host.service').split('\n');
  for (const line of ['LimitCORE=0', 'UMask=0077', 'DynamicUser=yes', 'NoNewPrivileges=yes'])
    expect(lines).toContain(line);
});

test('the container runs as a user without rights, from a stage without what built it', () => {
  const lines = read('Dockerfile').split('\n');
  expect(lines.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
  const user = lines.findIndex((line) => /^USER [1-9]\d*:[1-9]\d*$/.test(line));
  expect(user).toBeGreaterThan(lines.findLastIndex((line) => /^(FROM|RUN|COPY) /.test(line)));
  for (const hidden of ['.git', '**/.octo', 'keys', '.env*'])
    expect(read('Dockerfile.dockerignore').split('\n')).toContain(hidden);
});

test('what the unit and the container start is there', () => {
  for (const text of [read('octo-host.service'), read('Dockerfile')])
    expect(text).toContain('/opt/octo/packages/core/bin/octo-host.mjs');
  expect(existsSync(join(root, 'packages/core/bin/octo-host.mjs'))).toBe(true);
});
