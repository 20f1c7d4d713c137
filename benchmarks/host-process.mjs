// A host as a process of its own, between a vendor whose runs go on for as long as they are told to, and a folder.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const octoHost = fileURLToPath(new URL('../packages/core/bin/octo-host.mjs', import.meta.url));
const sinkFs = fileURLToPath(new URL('../packages/sink-fs', import.meta.url));

/** One file in ten chunks a second: a run goes on for so many milliseconds, and ignores that it is to stop. */
const vendor = `
const configSchema = { type: 'object', additionalProperties: false, properties: { ms: { type: 'integer' } } };
const BYTES = 16384;
export default { $octo: '@octo/plugin', contract: 1, name: 'vendor', kind: 'provider', configSchema, inject: {},
  create: ({ config }) => {
    const chunks = Math.ceil(config.ms / 100);
    const file = { path: 'a.csv', name: 'a.csv', size: chunks * BYTES, mtimeMs: 1, complete: true };
    return { settleMs: 0, connect: async () => ({
      list: async function* () { yield file; }, stat: async () => file,
      read: async function* () {
        for (let n = 0; n < chunks; n++) {
          await new Promise((go) => setTimeout(go, 100));
          yield Buffer.alloc(BYTES, 'a');
        }
      },
      async [Symbol.asyncDispose]() {} }) };
  } };
`;

/** A manifest of so many pipelines, each with a run of so many milliseconds at the start. @returns its file */
export async function writeManifest(folder, name, { count, ms, host }) {
  await mkdir(join(folder, 'vendor'), { recursive: true });
  await writeFile(join(folder, 'vendor/index.mjs'), vendor);
  const pipeline = { from: 'vendor', to: 'out', every: '1h', doubleRead: false };
  const content = {
    ...(host === undefined ? {} : { host }),
    plugins: {
      vendor: { use: './vendor/index.mjs', config: { ms } },
      out: { use: sinkFs, config: { directory: join(folder, `${name}-out`) } },
    },
    pipelines: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`p${i}`, { ...pipeline, key: `p${i}/${name}` }]),
    ),
  };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}

/** `octo-host start`. `until` resolves when its log has said the words so often. */
export function startHost(file, state) {
  const child = runHost(['start', '--no-watch', '--log', 'json', '-m', file, '--state', state]);
  let text = '';
  let told = () => {};
  child.stderr.setEncoding('utf8').on('data', (more) => {
    text += more;
    told();
  });
  const ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  const until = async (words, times = 1) => {
    while (text.split(words).length <= times)
      await new Promise((resolve) => {
        told = resolve;
      });
  };
  return { child, ended, until, log: () => text };
}

/** Any command of the program. */
export function runHost(argv) {
  return spawn(process.execPath, [octoHost, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
}
