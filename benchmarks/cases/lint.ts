/** Case 9: `octo-host lint` on a manifest of ten plugins, over a Node that does nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, Contender } from '../case.ts';
import type { Ground } from '../ground.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOST = join(ROOT, 'packages/core/bin/octo-host.mjs');
const HOST_KEY = 'SHA256:uNiVztksCsDhcc0u9e8BrrJQqb4bQ2qYJZFDbYd0zMs';

export const lint: Case = {
  name: 'lint',
  title: 'octo-host lint on a manifest of ten plugins, over node -e 0',
  bar: '≤ 150 ms more than node -e 0',
  bytes: 0,
  programs: [],
  prepare: contenders,
};

async function contenders(ground: Ground): Promise<readonly Contender[]> {
  const manifest = join(ground.folder, 'plugins.json');
  await writeFile(manifest, JSON.stringify(tenPlugins(ground.folder)), { mode: 0o600 });
  return [
    bare('octo-host lint', [process.execPath, HOST, 'lint', '--manifest', manifest]),
    bare('node -e 0', [process.execPath, '-e', '0']),
  ];
}

/** The first round, which does not count, fills the compile cache. */
function bare(name: string, argv: readonly string[]): Contender {
  const nothing = (): Promise<void> => Promise.resolve();
  return { name, task: async () => ({ argv, check: nothing, tidy: nothing }) };
}

function tenPlugins(folder: string): unknown {
  const vendor = {
    use: join(ROOT, 'packages/provider-affirm'),
    config: {
      host: 'sftp.example.com',
      username: 'northwind',
      password: 'not a secret',
      hostKeys: [HOST_KEY],
    },
  };
  const lake = {
    use: join(ROOT, 'packages/sink-s3'),
    config: { bucket: 'northwind', region: 'us-east-1' },
  };
  const share = {
    use: join(ROOT, 'packages/sink-fs'),
    config: { directory: join(folder, 'share') },
  };
  const plugins = Object.fromEntries([
    ...numbered('vendor', 5, vendor),
    ...numbered('lake', 3, lake),
    ...numbered('share', 2, share),
  ]);
  const pipeline = { from: 'vendor-0', to: 'lake-0', steps: ['decompress', 'verify'] };
  return { plugins, pipelines: { settlements: { ...pipeline, key: '{name}' } } };
}

function numbered(name: string, count: number, plugin: unknown): [string, unknown][] {
  return Array.from({ length: count }, (_, n) => [`${name}-${n}`, plugin]);
}
