import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MANIFEST, openSite, PASSWORD, type Site } from './site.ts';

let site: Site;
let all: Record<string, string>;
beforeEach(async () => {
  site = await openSite();
  all = await site.headers('admin');
});
afterEach(() => site[Symbol.asyncDispose]());

const { trades } = MANIFEST.pipelines;
const changed = {
  ...MANIFEST,
  pipelines: { ...MANIFEST.pipelines, orders: { ...trades, key: 'orders/{name}' } },
};

test('the manifest, its plans and its slips over one life', async () => {
  // Shown without a secret, wherever that came from.
  const shown = await site.get('/v1/manifest', all);
  expect(shown.body.manifest.plugins.affirm.config).toEqual({ password: '${env:AFFIRM_PASSWORD}' });
  expect(shown.body.manifest.plugins.bloomberg.config).toEqual({ password: '[secret]' });
  expect(JSON.stringify(shown.body)).not.toContain(PASSWORD);
  expect(shown.headers.get('etag')).toBe(`"${shown.body.revision}"`);

  // Validated: all that is wrong at once, each with its place.
  const slips = {
    ...MANIFEST,
    plugins: { ...MANIFEST.plugins, lake: { ues: 'lake', config: { plce: 'x' } } },
  };
  const invalid = await site.post(
    '/v1/manifest/validate',
    { text: JSON.stringify(slips, null, 2) },
    all,
  );
  expect(invalid.body).toMatchObject({ status: 422, code: 'OCTO_MANIFEST_INVALID' });
  expect(invalid.body.issues.map(({ pointer }: { pointer: string }) => pointer)).toContain(
    '/plugins/lake/ues',
  );
  expect(invalid.body.issues[0].where).toMatch(/plugins\.json:\d+:\d+$/);
  const config = {
    ...MANIFEST,
    plugins: { ...MANIFEST.plugins, lake: { use: 'lake', config: { plce: 'x' } } },
  };
  const judged = await site.post('/v1/manifest/validate', { text: JSON.stringify(config) }, all);
  expect(judged.body).toMatchObject({ status: 422, code: 'OCTO_CONFIG_INVALID' });
  expect(
    (await site.post('/v1/manifest/validate', { text: JSON.stringify(changed) }, all)).body,
  ).toEqual({ valid: true });

  // Planned: nothing happens.
  const plan = await site.post('/v1/manifest/plan', { text: JSON.stringify(changed) }, all);
  expect(plan.body.pipelines.started).toEqual([{ id: 'orders', why: 'new', keys: [] }]);
  expect(site.host.manifest.pipelines.has('orders')).toBe(false);

  // Applied: to the file and to the host, comments and all; recorded first.
  const text = `// by nobody\n${JSON.stringify(changed)}`;
  const before = await stat(site.manifestFile);
  const applied = await site.post(
    '/v1/manifest/apply',
    { text },
    { ...all, 'if-match': `"${shown.body.revision}"` },
  );
  expect(applied.body.pipelines.started).toMatchObject([{ id: 'orders' }]);
  expect(site.host.manifest.pipelines.has('orders')).toBe(true);
  expect(await readFile(site.manifestFile, 'utf8')).toBe(text);
  expect((await stat(site.manifestFile)).mode).toBe(before.mode);
  expect(site.audit.entries.at(-1)).toMatchObject({ action: 'manifest.apply', outcome: 'done' });

  // The revision is another one now.
  const late = await site.post(
    '/v1/manifest/apply',
    { text: '{}' },
    { ...all, 'if-match': `"${shown.body.revision}"` },
  );
  expect(late.body).toMatchObject({ status: 409, code: 'OCTO_API_CONFLICT' });

  // What does not start leaves everything as it was, the file too.
  const broken = { ...changed, plugins: { ...changed.plugins, affirm: { use: 'broken' } } };
  const refused = await site.post('/v1/manifest/apply', { text: JSON.stringify(broken) }, all);
  expect(refused.body).toMatchObject({ status: 422, code: 'OCTO_INSTANCE_FAILED' });
  expect(site.audit.entries.at(-1)).toMatchObject({ action: 'manifest.apply', outcome: 'failed' });
  expect(await readFile(site.manifestFile, 'utf8')).toBe(text);
  expect(site.host.manifest.plugins.get('affirm')?.use).toBe('vendor');

  // Neither may most of the pipelines get lost by a slip.
  const few = { ...MANIFEST, pipelines: { trades } };
  const lost = await site.post('/v1/manifest/apply', { text: JSON.stringify(few) }, all);
  expect(lost.body).toMatchObject({ status: 422, code: 'OCTO_MANIFEST_REMOVALS' });
  expect((await readdir(dirname(site.manifestFile))).toSorted()).toEqual(['plugins.json', 'state']);
});

test('a file that was changed by hand is taken when somebody asks for it, or refused with the reason', async () => {
  expect((await site.post('/v1/reload', undefined, all)).body).toEqual({ outcome: 'unchanged' });
  await writeFile(site.manifestFile, JSON.stringify(changed));
  const { body } = await site.post('/v1/reload', undefined, all);
  expect(body).toMatchObject({
    outcome: 'applied',
    plan: { pipelines: { started: [{ id: 'orders' }] } },
  });
  await writeFile(site.manifestFile, '{');
  const refused = await site.post('/v1/reload', undefined, all);
  expect(refused.body).toMatchObject({ status: 422, code: 'OCTO_MANIFEST_SYNTAX' });
  expect(site.host.manifest.pipelines.has('orders')).toBe(true);
});
