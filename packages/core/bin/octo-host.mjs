#!/usr/bin/env node
import module from 'node:module';

if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`octo-host: needs Node 24 or later; this is ${process.versions.node}`);
  process.exit(2);
}
module.enableCompileCache();
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
