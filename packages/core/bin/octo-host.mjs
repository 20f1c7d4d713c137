#!/usr/bin/env node
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

if (Number.parseInt(process.versions.node, 10) >= 24) {
  // Not in the folder for temporary files, where another user could lay code for us.
  module.enableCompileCache(join(homedir(), '.cache', 'octo-host'));
  // Before the first of them is started. Four are not enough for many files that wait for the disk at the same time.
  process.env.UV_THREADPOOL_SIZE ??= '16';
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv.slice(2));
} else {
  const { runOnPinnedNode } = await import('./pinned-node.mjs');
  await runOnPinnedNode(process.argv.slice(1));
}
