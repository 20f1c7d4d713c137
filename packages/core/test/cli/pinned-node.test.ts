import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/', import.meta.url));

test('on a Node that is too old, the one that npm installed takes over and its exit code is kept', async () => {
  const script = `import('${bin}pinned-node.mjs').then((m) => m.runOnPinnedNode(process.argv.slice(1)))`;
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['-e', script, `${bin}octo-host.mjs`, ...args]);
  expect((await run('version')).stdout).toMatch(/^octo-host \d/);
  await expect(run('no-such-command')).rejects.toMatchObject({ code: 2 });
});
