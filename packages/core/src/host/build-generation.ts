import type { PluginDefinition } from '@octo/plugin-api';
import { errorOfIssues, type Issue } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Changes } from '../manifest/plan.ts';
import { pointerTo, segmentsOf } from '../manifest/pointer.ts';
import { listOf } from '../manifest/suggest.ts';
import type { Redactor } from '../observe/redactor.ts';
import { buildInstances } from './build-instances.ts';
import { type BuiltSteps, buildSteps } from './build-steps.ts';
import { disposeInstances } from './dispose-instances.ts';
import type { Generation } from './generation.ts';
import type { HostOptions } from './host.ts';
import type { LivingInstance } from './instance.ts';
import { type LoadedInstance, loadInstances } from './load-instances.ts';
import { type LoadPlugin, loadPlugin } from './load-plugin.ts';
import { secretsOf } from './secrets-of.ts';

/** What goes on from the generation before. */
export interface Heritage {
  readonly instances: ReadonlyMap<string, LivingInstance>;
  readonly steps: ReadonlyMap<string, BuiltSteps>;
}

/** At the start of a host there is nothing to keep. */
export const NO_HERITAGE: Heritage = { instances: new Map(), steps: new Map() };

/** What of a generation goes on when a plan is carried out. */
export function heritageOf(
  { instances, steps }: Generation,
  plan: { readonly plugins: Changes; readonly pipelines: Changes },
): Heritage {
  const changed = plan.pipelines.started.filter(({ keys }) => !keys.includes('steps'));
  const sameSteps = [...plan.pipelines.kept, ...changed.map(({ id }) => id)];
  return { instances: only(instances, plan.plugins.kept), steps: only(steps, sameSteps) };
}

/**
 * Loads every plugin, checks every configuration and every step, and builds the instances, as far as they are not
 * inherited: no I/O beyond loading code. Nothing is started.
 * @throws OctoError with all that is wrong, as `issues`; what was built until then is closed
 */
export async function buildGeneration(
  manifest: Manifest,
  heritage: Heritage,
  options: HostOptions & { readonly redactor: Redactor },
): Promise<Generation> {
  const { clock, redactor } = options;
  const load = once(options.loadPlugin ?? loadPlugin);
  const isKept = (id: string) => heritage.instances.has(id);
  const loaded = await loadInstances(manifest, load, clock, isKept);
  const { steps, issues } = await stepsOf(manifest, heritage, options);
  const all = new Map<string, LoadedInstance>([...heritage.instances, ...loaded.instances]);
  redactor.add(secretsIn(manifest, all, steps));
  const found = [...loaded.issues, ...wrongKinds(manifest, all), ...issues];
  refuse(manifest.source.sorted(found), redactor);
  const { redact } = redactor;
  const built = buildInstances(manifest, loaded.instances, { ...options, redact });
  if (built.issues.length > 0)
    await disposeInstances(built.instances.values(), { ...options, redact });
  refuse(built.issues, redactor);
  const living = new Map([...heritage.instances, ...built.instances]);
  return { manifest, instances: only(living, manifest.plugins.keys()), steps };
}

/** In the order of the ids. */
function only<T>(entries: ReadonlyMap<string, T>, ids: Iterable<string>): Map<string, T> {
  const found = new Map<string, T>();
  for (const id of ids) {
    const entry = entries.get(id);
    if (entry !== undefined) found.set(id, entry);
  }
  return found;
}

/** Two instances of one plugin share its code. */
function once(load: LoadPlugin): LoadPlugin {
  const loading = new Map<string, Promise<PluginDefinition>>();
  return (use, folder) => {
    const running = loading.get(use) ?? load(use, folder);
    loading.set(use, running);
    return running;
  };
}

async function stepsOf(manifest: Manifest, heritage: Heritage, { stepKinds }: HostOptions) {
  const steps = new Map<string, BuiltSteps>();
  const issues: Issue[] = [];
  for (const [id, { enabled }] of manifest.pipelines) {
    if (!enabled) continue;
    const same = heritage.steps.get(id);
    steps.set(id, same ?? (await buildSteps(manifest, id, stepKinds, issues)));
  }
  return { steps, issues };
}

function secretsIn(
  manifest: Manifest,
  instances: ReadonlyMap<string, LoadedInstance>,
  steps: ReadonlyMap<string, BuiltSteps>,
): string[] {
  const owners = [...instances.values(), ...steps.values()];
  const secrets = new Map(owners.flatMap((owner) => [...owner.secrets]));
  // What no schema has looked at is not known: switched off, left out, or not loaded.
  const isKnown = (pointer: string): boolean => {
    const [room, id = '', part] = segmentsOf(pointer);
    if (room === 'plugins' && part === 'config') return instances.has(id);
    return room === 'pipelines' && part === 'steps' ? steps.has(id) : true;
  };
  return secretsOf(manifest, { secrets, isKnown });
}

/** Messages of plugins and steps may quote what they were given. */
function refuse(issues: readonly Issue[], { redact }: Redactor): void {
  if (issues.length === 0) return;
  throw errorOfIssues(issues.map((issue) => ({ ...issue, message: redact(issue.message) })));
}

function wrongKinds(manifest: Manifest, instances: ReadonlyMap<string, LoadedInstance>): Issue[] {
  const ends = [...manifest.pipelines.values()].flatMap((pipeline) => [
    { pipeline, end: 'from', wanted: 'provider' } as const,
    { pipeline, end: 'to', wanted: 'sink' } as const,
  ]);
  return ends.flatMap(({ pipeline, end, wanted }) => {
    const kind = instances.get(pipeline[end])?.definition.kind;
    if (kind === undefined || kind === wanted) return [];
    const fitting = [...instances].filter(([, one]) => one.definition.kind === wanted);
    const names = listOf(fitting.map(([id]) => id));
    const hint = names === '' ? '' : `; a ${wanted} is ${names}`;
    const problem = `names '${pipeline[end]}', which is a ${kind}, not a ${wanted}${hint}`;
    const pointer = pointerTo(pointerTo('/pipelines', pipeline.id), end);
    return [manifest.source.issue('OCTO_INSTANCE_WRONG_KIND', pointer, problem)];
  });
}
