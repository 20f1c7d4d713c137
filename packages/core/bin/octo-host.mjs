#!/usr/bin/env node
import module from 'node:module';

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache();
  // Before the first of them is started. Four are not enough for many files that wait for the disk at the same time.
  process.env.UV_THREADPOOL_SIZE ??= '16';
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv.slice(2));
} else {
  const { runOnPinnedNode } = await import('./pinned-node.mjs');
  await runOnPinnedNode(process.argv.slice(1));
}
