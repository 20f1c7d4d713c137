import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost, testEnvironment } from './test-environment.ts';

/** A site whose host runs; `plan` asks beside it. */
async function running() {
  const { environment, folder } = await site(goodManifest);
  const stop = new AbortController();
  const begun = Promise.withResolvers<void>();
  const rooms = withRuns(environment.rooms, async ({ config }) => {
    begun.resolve();
    return emptyReport(config.id);
  });
  const own = { ...environment, signal: stop.signal, rooms };
  const ended = octoHost(['start', '--log', 'text', '--no-watch'], own);
  const end = async () => {
    stop.abort(new Interrupted('SIGTERM'));
    await ended;
  };
  onTestFinished(end);
  await begun.promise;
  const plan = async (...options: string[]) => {
    const fresh = { ...testEnvironment({ cwd: folder, rooms: environment.rooms }) };
    return await octoHost(['plan', ...options], fresh);
  };
  const write = (manifest: string) => writeFile(join(folder, 'plugins.json'), manifest);
  return { folder, environment, plan, write, end };
}

const changed = goodManifest
  .replace('hunter2hunter2', 'correct horse')
  .replace('"lake": {', '"spare": { "use": "memory" }, "lake": {')
  .replace('"trades"', '"orders"');

test('what would change is compared with the running host, by name only', async () => {
  const { plan, write } = await running();
  expect((await plan()).stdout.text).toContain('nothing would change');
  await write(changed);
  const { code, stdout } = await plan();
  expect(code).toBe(0);
  expect(stdout.lines.map((line) => line.trimEnd())).toEqual([
    `compared with the running host, process ${process.pid}`,
    'what      id      is       why',
    'plugin    acme    started  changed: config/password',
    'plugin    spare   started  new',
    'plugin    lake    kept',
    'pipeline  orders  started  new',
    'pipeline  trades  retired  gone, or switched off',
  ]);
  const asJson = JSON.parse((await plan('--json')).stdout.text) as object;
  expect(asJson).toMatchObject({
    ok: true,
    running: true,
    plugins: { kept: ['lake'], started: [{ id: 'acme', keys: ['config/password'] }, {}] },
    pipelines: { started: [{ id: 'orders', why: 'new' }], retired: ['trades'] },
  });
  expect(JSON.stringify(asJson)).not.toMatch(/hunter2|horse/);
});

test('the running host is not touched by a plan, and a plan follows what it applies', async () => {
  const { plan, write, environment } = await running();
  await write(changed);
  await plan();
  expect(environment.stderr.text).not.toContain('applied');
  const applied = new Promise<void>((resolve) => {
    const write = environment.stderr.write.bind(environment.stderr);
    environment.stderr.write = (text) => {
      write(text);
      if (text.includes('manifest applied')) resolve();
    };
  });
  environment.hangUp();
  await applied;
  expect((await plan()).stdout.text).toContain('nothing would change');
});

test('without a running host everything would start', async () => {
  const { plan, end, folder } = await running();
  await end();
  expect((await readdir(join(folder, '.octo'))).filter((name) => name.startsWith('gen'))).toEqual(
    [],
  );
  const { stdout } = await plan();
  expect(stdout.lines[0]).toBe('compared with nothing: no host runs here');
  expect(stdout.text).toContain('plugin    acme    started  new');
});

test('a note of a host that was killed is not believed', async () => {
  const { plan, end, folder } = await running();
  const state = join(folder, '.octo');
  for (const name of ['generation.json', 'generation.key'])
    await copyFile(join(state, name), join(folder, name));
  await end();
  for (const name of ['generation.json', 'generation.key'])
    await copyFile(join(folder, name), join(state, name));
  expect((await plan()).stdout.lines[0]).toContain('no host runs here');
  await writeFile(join(state, 'generation.json'), '{ "version": 1, ');
  expect((await plan()).stdout.lines[0]).toContain('no host runs here');
});

test('the note is private and nothing can be guessed from it', async () => {
  const { folder } = await running();
  const note = join(folder, '.octo', 'generation.json');
  for (const file of [note, join(folder, '.octo', 'generation.key')])
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(note, 'utf8');
  expect(text).not.toContain('hunter2');
  const { plugins } = JSON.parse(text) as { plugins: Record<string, Record<string, string>> };
  expect(plugins['acme']?.['config/password']).toMatch(/^[\w-]{22}$/);
  const again = await running();
  const other = await readFile(join(again.folder, '.octo', 'generation.json'), 'utf8');
  const second = JSON.parse(other) as { plugins: Record<string, Record<string, string>> };
  expect(second.plugins['acme']?.['config/password']).not.toBe(
    plugins['acme']?.['config/password'],
  );
});

test('another manifest can take the place of the running host', async () => {
  const { folder, environment } = await site(changed);
  await writeFile(join(folder, 'before.json'), goodManifest);
  const { code, stdout } = await octoHost(['plan', '--against', 'before.json'], environment);
  expect(code).toBe(0);
  expect(stdout.lines[0]).toBe('compared with before.json');
  expect(stdout.text).toContain('changed: config/password');
});

test('a manifest that would be refused is refused here, too', async () => {
  const { plan, write } = await running();
  await write(goodManifest.replace('"host"', '"hots"'));
  expect(await plan()).toMatchObject({ code: 2 });
  const { code, stdout } = await plan('--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout.text)).toMatchObject({
    ok: false,
    issues: [{ code: 'OCTO_CONFIG_INVALID' }],
  });
});

test('a manifest that loses most pipelines shows what it would retire, and that it is refused', async () => {
  const pipeline = '{ "from": "acme", "to": "lake", "key": "{name}", "every": "5m" }';
  const { folder, environment } = await site(goodManifest.replace('"trades"', '"other"'));
  const many = ['a', 'b', 'c'].map((id) => `"${id}": ${pipeline}`).join(', ');
  await writeFile(
    join(folder, 'before.json'),
    goodManifest.replace('"trades"', `${many}, "trades"`),
  );
  const { code, stdout, stderr } = await octoHost(
    ['plan', '--against', 'before.json'],
    environment,
  );
  expect(code).toBe(2);
  expect(stdout.text).toContain('pipeline  a       retired');
  expect(stderr.text).toContain('OCTO_MANIFEST_REMOVALS');
});
