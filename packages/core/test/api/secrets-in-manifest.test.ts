import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PlainSecrets } from '../manifest/plain-secrets.ts';
import { MANIFEST, openSite, PASSWORD } from './site.ts';

const { affirm, lake } = MANIFEST.plugins;
const SECRET = 'a-secret-of-the-store';
const named = {
  plugins: { affirm, lake, vault: { use: 'vendor', config: { password: '${secret:pass}' } } },
  pipelines: {
    'affirm-us': MANIFEST.pipelines['affirm-us'],
    guarded: { from: 'vault', to: 'lake', key: '{name}' },
  },
};

test('over the API a secret is its reference, and what is held says why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const secrets = await (await new PlainSecrets(folder).put({ pass: SECRET })).seal();
  await using site = await openSite({}, { secrets });
  const all = await site.headers('admin');
  const text = JSON.stringify(named);

  // Sealed: a manifest that needs the store cannot be judged over the API, but one that lies there is taken.
  const judged = await site.post('/v1/manifest/validate', { text }, all);
  expect(judged.body).toMatchObject({ status: 503, code: 'OCTO_SECRETS_SEALED' });
  await writeFile(site.manifestFile, text);
  expect((await site.post('/v1/reload', undefined, all)).body).toMatchObject({
    outcome: 'applied',
  });
  const held = await site.get('/v1/plugins/vault', all);
  expect(held.body).toMatchObject({
    state: 'held',
    enabled: true,
    reason: expect.stringContaining('waits for ${secret:pass}: the store is sealed'),
  });
  expect((await site.get('/v1/plugins/affirm', all)).body.state).toBe('started');
  const asked = await site.post('/v1/runs', { pipeline: 'guarded' }, all);
  expect(asked.status).toBe(201);

  // Open: it lives, and what is shown is the same.
  const before = await site.get('/v1/manifest', all);
  await secrets.unseal();
  expect((await site.post('/v1/manifest/validate', { text }, all)).body).toEqual({ valid: true });
  const plan = await site.post('/v1/manifest/plan', { text }, all);
  expect(plan.body.plugins.started).toEqual([{ id: 'vault', why: 'new', keys: [] }]);
  expect((await site.post('/v1/reload', undefined, all)).body).toMatchObject({
    outcome: 'applied',
  });
  expect((await site.get('/v1/plugins/vault', all)).body.state).toBe('started');
  const shown = await site.get('/v1/manifest', all);
  expect(shown.body).toEqual(before.body);
  expect(shown.body.manifest.plugins.vault).toMatchObject({
    enabled: true,
    config: { password: '${secret:pass}' },
  });
  const said = JSON.stringify([held, plan, shown, site.audit.entries, site.logger.entries]);
  for (const value of [SECRET, PASSWORD]) expect(said).not.toContain(value);
});
