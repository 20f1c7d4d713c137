import { expect, test } from 'vitest';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

test('a manifest in order is all well', async () => {
  const { environment } = await site(goodManifest);
  const { code, stdout, stderr } = await octoHost(['lint'], environment);
  expect(stdout.text).toBe('plugins.json: all well: 2 plugins, 1 pipeline\n');
  expect(stderr.text).toBe('');
  expect(code).toBe(0);
});

test('every problem is one line with file, line and column, and without secrets', async () => {
  const { environment } = await site(
    goodManifest.replace('"host": "sftp.test"', '"hots": "sftp.test", "port": "hunter2hunter2"'),
  );
  const { code, stdout } = await octoHost(['lint'], environment);
  expect(code).toBe(2);
  expect(stdout.lines.length).toBeGreaterThanOrEqual(3);
  for (const line of stdout.lines.slice(0, -1)) {
    expect(line).toMatch(/plugins\.json:\d+:\d+.*\(OCTO_CONFIG_INVALID\)$/);
  }
  expect(stdout.lines.at(-1)).toMatch(/^plugins\.json: \d problems$/);
  expect(stdout.text).not.toContain('hunter2');
});

test('programs get the same as one JSON document', async () => {
  const { environment } = await site(goodManifest.replace('"from": "acme"', '"from": "amce"'));
  const { code, stdout } = await octoHost(['lint', '--json'], environment);
  expect(code).toBe(2);
  expect(JSON.parse(stdout.text)).toMatchObject({
    ok: false,
    issues: [{ code: 'OCTO_INSTANCE_UNKNOWN', pointer: '/pipelines/trades/from' }],
  });
});

test('a manifest that is not there is refused in one line that says what to do', async () => {
  const { environment } = await site(goodManifest);
  const { code, stdout } = await octoHost(['lint', '--manifest', 'other.json'], environment);
  expect(code).toBe(2);
  expect(stdout.lines[0]).toMatch(/other\.json does not exist; --manifest FILE names another one/);
});
