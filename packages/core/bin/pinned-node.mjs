// Runs on any Node: octo-host was started on one that is too old for it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/** Packages of the npm registry that bring a Node; a workspace or a user may have installed the fitting one. */
const packages = [
  `node-${process.platform}-${process.arch}`,
  `node-bin-${process.platform}-${process.arch}`,
];

/** Runs the command with the Node that npm has installed beside it, and ends as it ends. */
export async function runOnPinnedNode(args) {
  const node = pinnedNode();
  if (node === undefined) {
    console.error(`octo-host: needs Node 24 or later; this is ${process.versions.node}`);
    process.exit(2);
  }
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function pinnedNode() {
  const require = createRequire(import.meta.url);
  for (const name of packages) {
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node');
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
