import { PluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

test('every step is one line under its instance, the host first', async () => {
  const { environment, folder } = await site(goodManifest);
  const { code, stdout } = await octoHost(['check'], environment);
  expect(stdout.lines).toEqual([
    'host',
    `  ✓ manifest         ${folder}/plugins.json`,
    '  ✓ plugins          2 instances, 1 pipeline',
    `  ✓ state and ledger ${folder}/.octo`,
    'acme',
    '  ✓ connect          127.0.0.1',
    '  ✓ list             3 files',
    'lake',
    expect.stringMatching(/^ {2}✓/),
    'all well',
  ]);
  expect(code).toBe(0);
});

test('a vendor that cannot be reached says what to do, the others are tried all the same', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.diagnose = async function* () {
    const error = new PluginError('network', 'no route');
    const remedy = 'ask whether our address is allowed: hunter2hunter2';
    yield { step: 'connect', outcome: 'failed', detail: 'no route to sftp.test:22', remedy, error };
  };
  const { code, stdout } = await octoHost(['check'], environment);
  expect(code).toBe(3);
  expect(stdout.text).toContain(`\
  ✗ connect          no route to sftp.test:22
    → ask whether our address is allowed: [secret]
lake
  ✓`);
  expect(stdout.lines.at(-1)).toBe('1 problem');
});

test('a plugin that throws instead of reporting is a failed step, too', async () => {
  const { environment, vendor } = await site(goodManifest);
  // oxlint-disable-next-line require-yield
  vendor.diagnose = async function* () {
    throw new PluginError('auth', 'the password was refused');
  };
  const { code, stdout } = await octoHost(['check', '--json'], environment);
  expect(code).toBe(3);
  const { ok, checks } = JSON.parse(stdout.text) as { ok: boolean; checks: { about: string }[] };
  expect(ok).toBe(false);
  expect(checks.find(({ about }) => about === 'acme')).toEqual({
    about: 'acme',
    step: 'diagnose',
    outcome: 'failed',
    detail: 'the password was refused',
    remedy: null,
  });
});

test('a step that never answers ends at the deadline, and the plugin may tidy up', async () => {
  const { environment, vendor } = await site(goodManifest);
  let tidied = false;
  vendor.diagnose = async function* (signal) {
    try {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield { step: 'late', outcome: 'passed', detail: '' };
    } finally {
      tidied = true;
    }
  };
  const checking = octoHost(['check'], environment);
  await environment.clock.untilSleeping();
  await environment.clock.advance(30_000);
  const { code, stdout } = await checking;
  expect(code).toBe(3);
  expect(stdout.text).toContain("'acme' did not answer within 30000 ms");
  expect(tidied).toBe(true);
});

test('a refused manifest is exit code 2, with a line for each problem', async () => {
  const { environment } = await site(
    goodManifest.replaceAll('"lake"', '"laek"').replace('"laek":', '"lake":'),
  );
  const { code, stdout } = await octoHost(['check'], environment);
  expect(code).toBe(2);
  expect(stdout.text).toMatch(/✗ manifest .*did you mean 'lake'\? .*\(OCTO_INSTANCE_UNKNOWN\)/);
});

test('a database that does not answer is exit code 3, and the vendors are tried all the same', async () => {
  const broken = async () => {
    throw new OctoError('OCTO_DATABASE_UNREACHABLE', 'the database does not answer');
  };
  const { environment } = await site(goodManifest);
  const { code, stdout } = await octoHost(['check'], {
    ...environment,
    rooms: { ...environment.rooms, openLedger: broken },
  });
  expect(code).toBe(3);
  expect(stdout.text).toContain('✗ state and ledger the database does not answer');
  expect(stdout.text).toContain('✓ connect');
});

test('a plugin that writes a secret into a step, its detail or its remedy has it hidden', async () => {
  const { environment, vendor } = await site(goodManifest);
  vendor.diagnose = async function* () {
    const secret = 'hunter2hunter2';
    yield { step: `try ${secret}`, outcome: 'warned', detail: secret, remedy: secret };
  };
  for (const argv of [['check'], ['check', '--json']]) {
    const { stdout, stderr } = await octoHost(argv, environment);
    expect(stdout.text).toContain('try [secret]');
    expect(stdout.text + stderr.text).not.toContain('hunter2');
  }
});
