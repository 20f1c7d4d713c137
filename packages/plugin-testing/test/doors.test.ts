import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Prints the address of every module that importing a door loads, in a plain Node process and from the build. */
const program = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  await import(process.argv[1]);
  process.stdout.write(JSON.stringify(loaded));
  process.exit(0);
`;

async function loadedBy(door: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program, door],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), env: {} },
  );
  return JSON.parse(stdout) as string[];
}

const ofVitest = (url: string) => url.includes('/vitest/') || url.includes('/@vitest/');

test('servers, fixtures and fakes load no vitest', async () => {
  const loaded = await loadedBy('@octo/plugin-testing');
  expect(loaded).toContainEqual(expect.stringMatching(/plugin-testing\/dist\/index\.js$/));
  expect(loaded.filter(ofVitest)).toEqual([]);
});

test('the suites do', async () => {
  const loaded = await loadedBy('@octo/plugin-testing/suites');
  expect(loaded.some(ofVitest)).toBe(true);
});
