import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { exitCodes } from '../../src/cli/exit-code.ts';
import { emptyReport, runResultLine } from '../../src/cli/run-result.ts';
import { octoHost, testEnvironment } from './test-environment.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const page = (path: string) => readFile(join(root, path), 'utf8');

/** The code blocks of a page in one language. */
async function blocks(path: string, language: string): Promise<string[]> {
  const text = await page(path);
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code ?? '');
}

test("the README's manifest passes lint", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-readme-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await mkdir(join(folder, 'keys'));
  await writeFile(
    join(folder, 'keys/affirm-ssh'),
    privateKey.export({ type: 'pkcs1', format: 'pem' }),
    { mode: 0o600 },
  );
  const [manifest = ''] = await blocks('README.md', 'jsonc');
  await writeFile(join(folder, 'plugins.json'), manifest);
  const { code, stdout } = await octoHost(['lint'], testEnvironment({ cwd: folder }));
  expect(stdout.text).toBe('plugins.json: all well: 2 plugins, 1 pipeline\n');
  expect(code).toBe(0);
});

test("the tutorial's plugin is the one that is tested", async () => {
  const [code] = await blocks('docs/writing-a-plugin.md', 'js').then((all) =>
    all.filter((block) => block.includes("kind: 'provider'")),
  );
  expect(code).toBe(await page('examples/provider-minimal/index.js'));
});

test('operating.md knows every command, every exit code and every name of the JSON line', async () => {
  const text = await page('docs/operating.md');
  for (const { name } of commands.filter(({ name }) => name !== 'help' && name !== 'version')) {
    expect(text).toContain(name);
  }
  for (const code of Object.values(exitCodes))
    expect(text).toMatch(new RegExp(`^\\| ${code} `, 'm'));
  const [line = ''] = await blocks('docs/operating.md', 'json');
  const documented = Object.keys(JSON.parse(line) as object);
  expect(documented).toEqual(Object.keys(JSON.parse(runResultLine(emptyReport('x'))) as object));
});

test('links between pages lead somewhere', async () => {
  const dead: string[] = [];
  for (const path of await pages()) {
    for (const [, link = ''] of (await page(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
      const target = link.replace(/#.*$/, '');
      if (/^https?:/.test(link) || target === '') continue;
      if (!existsSync(resolve(root, dirname(path), target))) dead.push(`${path}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

async function pages(): Promise<string[]> {
  const folders = ['.', 'docs', 'docs/adr', ...(await packageFolders())];
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder)))
        .filter((name) => name.endsWith('.md'))
        .map((name) => relative('.', join(folder, name))),
    ),
  );
  return found.flat();
}

async function packageFolders(): Promise<string[]> {
  return (await readdir(join(root, 'packages'))).map((name) => join('packages', name));
}
