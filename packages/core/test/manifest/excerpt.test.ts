import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { excerptOf, manifestFrom } from '../../src/manifest/excerpt.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';

const plugin = (name: string) => ({ use: name, config: { password: `\${env:${name}}` } });

test('what a process is told of a manifest is its own part, and nothing of the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-excerpt-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const written = {
    plugins: { acme: plugin('OURS'), lake: { use: 'lake' }, zenith: plugin('THEIRS') },
    pipelines: {
      trades: { from: 'acme', to: 'lake', key: '{name}' },
      prices: { from: 'zenith', to: 'lake', key: 'prices/{name}' },
    },
    host: {
      notify: { ops: { url: 'https://hooks.test/x', secret: '${env:HOOK}', on: ['failed'] } },
    },
  };
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(written));
  const env = {
    OURS: 'canary-of-ours',
    THEIRS: 'canary-of-theirs',
    HOOK: 'canary-of-the-host'.repeat(2),
  };
  const manifest = await readManifest(join(folder, 'plugins.json'), { env });
  const excerpt = excerptOf(manifest, { plugins: ['acme', 'lake'], pipelines: ['trades'] });
  expect(manifestFrom(excerpt).plugins.get('acme')?.config).toEqual({ password: 'canary-of-ours' });
  expect([...manifestFrom(excerpt).pipelines.keys()]).toEqual(['trades']);
  const told = JSON.stringify(excerpt);
  expect(told).toContain('canary-of-ours');
  for (const other of ['THEIRS', 'theirs', 'zenith', 'prices', 'hooks', 'canary-of-the-host'])
    expect(told).not.toContain(other);
});
