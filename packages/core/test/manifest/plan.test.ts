import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { isEmptyPlan, planChange } from '../../src/manifest/plan.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';

const text = `{
  "plugins": {
    "acme": { "use": "a", "config": { "host": "sftp.test", "password": "\${env:PASSWORD}" } },
    "bank": { "use": "a", "config": { "host": "bank.test" } },
    "lake": { "use": "s", "config": { "bucket": "one", "tags": { "team": "data", "cost": "7" } } }
  },
  "pipelines": {
    "trades": { "from": "acme", "to": "lake", "key": "{name}", "every": "5m" },
    "cash": { "from": "bank", "to": "lake", "key": "{name}", "steps": ["decompress"] }
  }
}`;

async function manifestsOf(...versions: (readonly [string, Record<string, string>?])[]) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'plugins.json');
  const manifests: Manifest[] = [];
  for (const [version, env = { PASSWORD: 'hunter2' }] of versions) {
    await writeFile(file, version);
    manifests.push(await readManifest(file, { env }));
  }
  return manifests as [Manifest, Manifest];
}

async function planOf(after: string, env?: Record<string, string>) {
  const [one, two] = await manifestsOf([text], env === undefined ? [after] : [after, env]);
  return planChange(one, two);
}

const edited = (...edits: [string, string][]) =>
  edits.reduce((version, [from, to]) => {
    expect(version).toContain(from);
    return version.replace(from, to);
  }, text);

test('order, comments, spelling and what is switched off do not count', async () => {
  const after = `// nothing has changed
{ "pipelines": {
    "cash": { "key": "{name}", "to": "lake", "from": "bank", "steps": [{ "decompress": {} }], "enabled": true },
    "trades": { "to": "lake", "from": "acme", "every": "5m", "key": "{name}", "limits": { "maxBytes": "20GiB" } } },
  "plugins": {
    "off": { "use": "none", "enabled": false },
    "lake": { "config": { "tags": { "cost": "7", "team": "data" }, "bucket": "one" }, "use": "s" },
    "bank": { "use": "a", "policy": { "attempts": 4 }, "config": { "host": "bank.test" } },
    "acme": { "use": "a", "config": { "password": "hunter2", "host": "sftp.test" } } } }`;
  const plan = await planOf(after);
  expect(plan).toEqual({
    plugins: { kept: ['lake', 'bank', 'acme'], started: [], retired: [] },
    pipelines: { kept: ['cash', 'trades'], started: [], retired: [] },
  });
  expect(isEmptyPlan(plan)).toBe(true);
});

test('a rotated secret starts exactly what uses it, and is not told', async () => {
  const plan = await planOf(text, { PASSWORD: 'correct horse' });
  expect(plan).toEqual({
    plugins: {
      kept: ['bank', 'lake'],
      started: [{ id: 'acme', why: 'changed', keys: ['config/password'] }],
      retired: [],
    },
    pipelines: {
      kept: ['cash'],
      started: [{ id: 'trades', why: 'changed', keys: [], plugins: ['acme'] }],
      retired: [],
    },
  });
  expect(JSON.stringify(plan)).not.toMatch(/hunter2|horse/);
});

test('a changed sink touches every pipeline into it', async () => {
  const { plugins, pipelines } = await planOf(edited(['"cost": "7"', '"cost": "8", "new": {}']));
  expect(plugins.started).toEqual([
    { id: 'lake', why: 'changed', keys: ['config/tags/cost', 'config/tags/new'] },
  ]);
  expect(pipelines.started.map(({ id }) => id)).toEqual(['trades', 'cash']);
});

test('a pipeline changes alone, and its plugins are kept', async () => {
  const after = edited(['"every": "5m"', '"schedule": "45 3 * * *"'], ['["decompress"]', '[]']);
  const { plugins, pipelines } = await planOf(after);
  expect(plugins.kept).toEqual(['acme', 'bank', 'lake']);
  expect(pipelines.started).toEqual([
    { id: 'trades', why: 'changed', keys: ['everyMs', 'schedule'], plugins: [] },
    { id: 'cash', why: 'changed', keys: ['steps'], plugins: [] },
  ]);
});

test('what comes is new, what goes is retired, and switching off is going', async () => {
  const after = edited(
    ['"bank": { "use": "a",', '"bank": { "use": "a", "enabled": false,'],
    ['"lake": {', '"local": { "use": "f" }, "lake": {'],
    ['"to": "lake", "key": "{name}", "every"', '"to": "local", "key": "{name}", "every"'],
  );
  expect(await planOf(after)).toEqual({
    plugins: {
      kept: ['acme', 'lake'],
      started: [{ id: 'local', why: 'new', keys: [] }],
      retired: ['bank'],
    },
    pipelines: {
      kept: [],
      started: [
        { id: 'trades', why: 'changed', keys: ['to'], plugins: ['local'] },
        { id: 'cash', why: 'changed', keys: [], plugins: ['bank'] },
      ],
      retired: [],
    },
  });
});

test('another code, policy or folder is another plugin', async () => {
  const after = edited(
    ['"use": "s"', '"use": "t"'],
    ['"bank": { "use": "a",', '"bank": { "use": "a", "policy": { "timeoutMs": 5 },'],
  );
  const [before, changed] = await manifestsOf([text], [after]);
  expect(planChange(before, changed).plugins.started).toMatchObject([
    { id: 'bank', keys: ['policy/timeoutMs'] },
    { id: 'lake', keys: ['use'] },
  ]);
  const elsewhere = planChange(before, { ...before, folder: '/elsewhere' });
  expect(elsewhere.plugins.kept).toEqual([]);
});

test('places with slashes and values that look alike are not mixed up', async () => {
  const config = (value: string) =>
    edited(['"host": "bank.test"', `"host": "bank.test", ${value}`]);
  const [before, after] = await manifestsOf(
    [config('"a/b": 1, "n": 1, "e": {}')],
    [config('"a": { "b": 1 }, "n": "1", "e": []')],
  );
  expect(planChange(before, after).plugins.started).toMatchObject([
    { id: 'bank', keys: ['config/a~1b', 'config/n', 'config/e', 'config/a/b'] },
  ]);
});
