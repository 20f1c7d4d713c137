import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { octoHost } from './test-environment.ts';

test('no command at all, help and --help give the overview', async () => {
  for (const argv of [[], ['help'], ['--help'], ['-h']]) {
    const { code, stdout } = await octoHost(argv);
    expect(code).toBe(0);
    for (const { name } of commands) expect(stdout.text).toContain(name);
  }
});

test('every command explains itself and its options', async () => {
  for (const { name, options } of commands) {
    const { code, stdout } = await octoHost([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout.text).toMatch(new RegExp(`^octo-host ${name}`));
    for (const option of Object.keys(options)) expect(stdout.text).toContain(`--${option}`);
  }
});

test('help of a command with further commands explains those, too', async () => {
  const { stdout } = await octoHost(['help', 'files']);
  expect(stdout.text).toContain('octo-host files show <name>');
  expect(stdout.text).toContain('octo-host files release <name>');
});

test('every command has its code', async () => {
  const codes = await Promise.all(commands.map(({ load }) => load()));
  expect(codes.every((code) => typeof code === 'function')).toBe(true);
  const files = await readdir(new URL('../../src/cli/commands', import.meta.url));
  expect(files.toSorted()).toEqual(
    commands.map(({ name }) => `${name.replace(' ', '-')}.ts`).toSorted(),
  );
});

test.each([
  [['rum'], "there is no command 'rum'; did you mean 'run'?", 'octo-host help'],
  [['deploy'], "there is no command 'deploy'", 'octo-host help'],
  [
    ['--json', 'run'],
    "the command comes before its options, but '--json' came first",
    'octo-host help',
  ],
  [
    ['lint', '--manifets', 'x'],
    "'octo-host lint' has no option '--manifets'; did you mean '--manifest'?",
    'octo-host lint --help',
  ],
  [['lint', '--manifest'], "'--manifest' needs a value: --manifest=FILE", 'octo-host lint --help'],
  [['lint', '--json=yes'], "'--json' takes no value", 'octo-host lint --help'],
  [['run'], "'octo-host run' needs <pipeline>", 'octo-host run --help'],
  [['run', 'a', 'b'], "'octo-host run' does not know what to do with 'b'", 'octo-host run --help'],
  [['files', 'show'], "'octo-host files show' needs <name>", 'octo-host files show --help'],
])('%j is refused with one line and a hint', async (argv, message, help) => {
  const { code, stdout, stderr } = await octoHost(argv);
  expect(code).toBe(2);
  expect(stdout.text).toBe('');
  expect(stderr.lines).toEqual([`octo-host: ${message}`, `octo-host: see: ${help}`]);
});

test('a command line with control characters is shown harmlessly', async () => {
  const { stderr } = await octoHost(['\u001B[2Jrun']);
  expect(stderr.text).toContain(String.raw`'\x1b[2Jrun'`);
});

test('version names the version, for people and programs', async () => {
  expect((await octoHost(['version'])).stdout.text).toMatch(/^octo-host \d+\.\d+\.\d+\n$/);
  const { stdout } = await octoHost(['--version', '--json']);
  expect(JSON.parse(stdout.text)).toMatchObject({ version: expect.any(String) as unknown });
});
