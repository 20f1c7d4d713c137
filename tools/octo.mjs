#!/usr/bin/env node
// Sets up and runs everything. Needs nothing but Node >= 20 and npm; all other work is done by the pinned Node from
// node_modules. `npm start`, `npm test` and `.ci/run` come through here.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stampFile = join(root, 'node_modules', '.octo-stamp');
const octoHost = join(root, 'packages/core/bin/octo-host.mjs');

const tasks = {
  start: (args) => exec('node', [join(root, 'examples/demo/start.mjs'), ...args]),
  test: (args) => exec('node', [tool('vitest/vitest.mjs'), 'run', ...args]),
  build: () => {},
  check: () => check(),
  conformance: (args) =>
    exec('node', [
      tool('vitest/vitest.mjs'),
      'run',
      '--config',
      'vitest.conformance.config.ts',
      ...args,
    ]),
  controls: (args) =>
    exec('node', [
      '--disable-warning=ExperimentalWarning',
      join(root, 'tools/controls/controls.ts'),
      ...args,
    ]),
  bench: (args) => exec('node', [join(root, 'benchmarks/bench.ts'), ...args]),
  'octo-host': (args) => exec('node', [octoHost, ...args], process.env.INIT_CWD),
};

const [task = 'start', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task))
  die(2, `unknown task '${task}'; there are ${Object.keys(tasks).join(', ')}`);
install();
build();
tasks[task](rest);

function install() {
  const wanted = stamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  console.error('octo: installing dependencies (first run, or the lockfile changed) …');
  const { command, before } = pnpm();
  const code = run(
    command,
    [...before, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'],
    {
      stdio: ['ignore', 2, 2],
    },
  );
  if (code !== 0) die(code, 'the installation failed; the lines above say why');
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
}

function stamp() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.update(`${process.platform}-${process.arch}`).digest('hex');
}

function pnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const installed = spawnSync('pnpm', ['--version'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, pnpm_config_pm_on_fail: 'ignore' },
  });
  if (installed.status === 0 && Number.parseInt(installed.stdout, 10) >= 12)
    return { command: 'pnpm', before: [] };
  return { command: 'npx', before: ['--yes', packageManager] };
}

function build() {
  const code = run(node(), [tool('typescript/bin/tsc'), '-b']);
  if (code !== 0) die(code, 'the build failed');
}

function check() {
  const steps = [
    ['formatting', [tool('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    ['lint', [tool('oxlint/bin/oxlint'), '--deny-warnings']],
    ['types', [tool('typescript/bin/tsc'), '-p', 'tsconfig.check.json']],
    ['unused code and dependencies', [tool('knip/bin/knip.js'), '--no-progress']],
    ...publicPackages().map((folder) => [
      `publint ${folder}`,
      [tool('publint/src/cli.js'), 'run', folder, '--strict', '--pack', 'false'],
    ]),
  ];
  for (const [name, args] of steps) {
    const code = run(node(), args, { env: environment() });
    if (code !== 0) die(code, `check failed: ${name}`);
    console.error(`octo: ${name}: ok`);
  }
}

function publicPackages() {
  return JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references.map(
    ({ path }) => path,
  );
}

function tool(path) {
  return join(root, 'node_modules', path);
}

/** The pinned Node where the npm registry has one for this platform, else the caller's. */
function node() {
  const pinned = join(bin, 'node');
  if (existsSync(pinned)) return pinned;
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  return die(
    1,
    `the npm registry has no Node for ${process.platform}-${process.arch}; please install Node >= 24`,
  );
}

function environment() {
  const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) };
  for (const name of Object.keys(env)) if (/^(npm|pnpm)_/i.test(name)) delete env[name];
  return env;
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) die(1, `${command} could not be started: ${result.error.message}`);
  return result.status ?? 1;
}

function exec(command, args, cwd = root) {
  const child = spawn(command === 'node' ? node() : command, args, {
    cwd,
    stdio: 'inherit',
    env: environment(),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  // npm dies of SIGTERM without passing it on: end with the parent rather than leave an orphan.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
  child.on('error', (error) => die(1, error.message));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function die(code, message) {
  console.error(`octo: ${message}`);
  process.exit(code);
}
