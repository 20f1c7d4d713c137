/** `npm run bench [-- case …]`: octo beside the tools that people use today, on this machine, in the same minutes. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { Ground } from './ground.ts';
import { profiled, profileTables } from './measure/cpu-profile.ts';
import { interleave } from './measure/interleave.ts';
import { measure } from './measure/measure.ts';
import { resultsTable } from './measure/results-table.ts';
import { missing, versionOf, whereIs } from './programs.ts';
import { parseSize } from './parse-size.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (process.platform !== 'linux') fail('the bench reads /proc, which only Linux has');
if (values.help) {
  process.stdout.write(usage());
  process.exit(0);
}
const unknown = positionals.filter((name) => !CASES.some((one) => one.name === name));
if (unknown.length > 0) fail(`there is no case ${unknown.join(', ')}\n\n${usage()}`);
const chosen = CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

process.stdout.write(`${machine()}\n`);
for (const one of chosen) await run(one);

async function run(one: Case): Promise<void> {
  const absent = one.programs.filter((name) => whereIs(name) === undefined);
  if (absent.length > 0) {
    process.stdout.write(`\n## ${one.name}\n\nSkipped: ${absent.map(missing).join('; ')}\n`);
    return;
  }
  await using ground = await Ground.open(values.folder);
  const bytes = values.size === undefined ? one.bytes : parseSize(values.size);
  say(`${one.name}: preparing`);
  const all = await one.prepare(ground, bytes);
  if (values.profile) return await profile(one.name, ground, all);
  const { only } = values;
  const contenders = all.filter(({ name }, index) => index === 0 || !only || name.includes(only));
  const rounds = Number(values.rounds);
  const series = await interleave(contenders, rounds, (name, round, { wallSeconds, cpuSeconds }) =>
    say(
      `${one.name}: ${round === 0 ? 'warm-up' : `round ${round}`}: ${name}: ${wallSeconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`,
    ),
  );
  const size = `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
  const versions = one.programs.map(versionOf).join('; ');
  process.stdout.write(
    `\n## ${one.name}: ${one.title}\n\n${size}, rounds: ${rounds}. To reach: ${one.bar}. Peers: ${versions}\n\n` +
      `${resultsTable(series)}\n`,
  );
}

/** Octo alone, once without a profile and once with one. */
async function profile(
  name: string,
  ground: Ground,
  contenders: Awaited<ReturnType<Case['prepare']>>,
): Promise<void> {
  const [octo] = contenders;
  if (octo === undefined) return;
  const folder = await ground.at('profiles');
  for (const round of [0, 1]) {
    const task = await octo.task(round);
    const { wallSeconds, cpuSeconds } = await measure(round === 0 ? task : profiled(task, folder));
    await task.check();
    await task.tidy();
    say(`${name}: ${wallSeconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`);
  }
  process.stdout.write(`\n## ${name}\n\n${await profileTables(folder)}`);
}

function machine(): string {
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`;
  const processor = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`;
  return `${new Date().toISOString().slice(0, 10)}, ${processor}, ${memory}, Node ${process.versions.node}`;
}

function usage(): string {
  const rows = CASES.map(({ name, title }) => `  ${name.padEnd(14)}${title}\n`).join('');
  return (
    `npm run bench [-- case … --size 256MiB --rounds 5 --folder /tmp --only rclone]\n\n${rows}\n` +
    '--size    of the data; each case has its own default\n' +
    '--rounds  after one warm-up\n' +
    '--folder  where the data goes\n' +
    '--only    leaves out the peers whose names do not contain this\n' +
    '--profile instead: where octo spends its time on the main thread\n'
  );
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(text: string): never {
  say(text);
  process.exit(2);
}
