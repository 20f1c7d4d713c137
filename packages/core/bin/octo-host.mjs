#!/usr/bin/env node
import module from 'node:module';

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache();
  const { collectEarly } = await import('../dist/pipeline/collect-early.js');
  collectEarly();
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv.slice(2));
} else {
  const { runOnPinnedNode } = await import('./pinned-node.mjs');
  await runOnPinnedNode(process.argv.slice(1));
}
