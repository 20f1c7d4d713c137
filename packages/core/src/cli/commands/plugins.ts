import type { Manifest } from '../../manifest/manifest.ts';
import { pointerTo } from '../../manifest/pointer.ts';
import type { WorkerStatus } from '../../workers/worker-status.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { packageVersion } from '../package-version.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { table } from '../table.ts';
import { workplaceOf } from '../workplace.ts';

interface Listed {
  readonly id: string;
  readonly use: string;
  readonly version: string | undefined;
  readonly kind: string | undefined;
  readonly plugin: string | undefined;
  readonly summary: string | undefined;
  readonly enabled: boolean;
  /** Why it is not there although it is enabled. */
  readonly held?: string;
  readonly pipelines: readonly string[];
  /** Of its pipelines, in the host that runs here; none when no host runs. */
  readonly workers: readonly WorkerStatus[];
}

/** `octo-host plugins`: the instances of the manifest and where they come from. Connects nowhere. */
export const plugins: CommandCode = async (args, environment) => {
  const { rooms, stdout } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const manifest = await readManifestOf(args, environment, 'hold');
  await using host = await rooms.createHost(
    manifest,
    await hostOptions(args, environment, await quietLogger(args, environment)),
  );
  const running = (await rooms.hostRuns(stateFolder)) ? await rooms.readWorkers(stateFolder) : [];
  const listed = [...manifest.plugins.values()].map(({ id, use, enabled }): Listed => {
    const definition = host.instances.get(id)?.definition;
    const held = manifest.held?.get(pointerTo('/plugins', id))?.message;
    return {
      id,
      use,
      version: packageVersion(use, manifest.folder),
      kind: definition?.kind,
      plugin: definition?.name,
      summary: definition?.summary,
      enabled: enabled || held !== undefined,
      ...(held !== undefined && { held }),
      pipelines: pipelinesOf(id, manifest),
      workers: running.filter(({ instances }) => instances.includes(id)),
    };
  });
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ plugins: listed })}\n`);
  else stdout.write(`${[...lines(listed), ...troubles(running), ...waits(manifest)].join('\n')}\n`);
  return exitCodes.allWell;
};

function pipelinesOf(id: string, { pipelines }: Manifest): string[] {
  const using = [...pipelines.values()].filter(({ from, to }) => from === id || to === id);
  return using.map((pipeline) => pipeline.id);
}

/** The worst that is known of its processes. */
function stateOf(workers: readonly WorkerStatus[]): string {
  const all = workers.map(({ state }) => state);
  return WORST_FIRST.find((state) => all.includes(state)) ?? 'enabled';
}

const WORST_FIRST = ['quarantined', 'waiting', 'running', 'starting', 'warm', 'cold'] as const;

/** What died, and why: one line each, below the table. */
function troubles(workers: readonly WorkerStatus[]): string[] {
  const dead = workers.filter(({ deaths }) => deaths > 0);
  if (dead.length === 0) return [];
  return [
    '',
    ...dead.map(({ pipeline, instances, state, deaths, reason = '' }) => {
      const name = pipeline === '' ? `plugin ${instances[0]}` : `pipeline ${pipeline}`;
      const times = deaths === 1 ? 'once' : `${deaths} times`;
      const now = state === 'quarantined' ? 'quarantined' : `died ${times} lately`;
      return `${name}: ${now}; the last time its process ${escapeText(reason)}`;
    }),
  ];
}

/** What waits for a secret, and which: one line each. */
function waits({ held = new Map() }: Manifest): string[] {
  return held.size === 0 ? [] : ['', ...[...held.values()].map(({ message }) => message)];
}

function lines(listed: readonly Listed[]): string[] {
  const rows = listed.map(({ id, use, version, kind, enabled, held, pipelines, workers }) => [
    id,
    kind ?? '–',
    held === undefined ? (enabled ? stateOf(workers) : 'disabled') : 'held',
    escapeText(use),
    version ?? '–',
    pipelines.join(', ') || 'none',
  ]);
  return table(['id', 'kind', 'state', 'plugin', 'version', 'used by'], rows);
}
