import type { Clock, Logger, PluginDefinition } from '@octo/plugin-api';
import { errorOfIssues, type Issue } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo, segmentsOf } from '../manifest/pointer.ts';
import { listOf } from '../manifest/suggest.ts';
import { Redactor } from '../observe/redactor.ts';
import type { Pipeline } from '../pipeline/run-pipeline.ts';
import type { StepKind } from '../pipeline/step.ts';
import { buildInstances } from './build-instances.ts';
import { type BuiltSteps, buildSteps, type StepFindings } from './build-steps.ts';
import type { Instance } from './instance.ts';
import { type Loaded, type LoadedInstance, loadInstances } from './load-instances.ts';
import { type LoadPlugin, loadPlugin } from './load-plugin.ts';
import { RunningHost } from './running-host.ts';
import { secretsOf } from './secrets-of.ts';

export interface HostOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Absolute; below it each instance that asks for one gets a folder of its own. */
  readonly stateFolder: string;
  /** The steps that pipelines may use. */
  readonly stepKinds: readonly StepKind[];
  /** Is told every secret of the manifest. Give the one that your logger uses. */
  readonly redactor?: Redactor;
  /** Default: Node's resolution from the manifest's folder. */
  readonly loadPlugin?: LoadPlugin;
  /** How long one instance may take to close. Default 10,000. */
  readonly disposeDeadlineMs?: number;
}

/** The instances of one manifest, and the pipelines between them. */
export interface Host extends AsyncDisposable {
  readonly manifest: Manifest;
  /** By id, in the manifest's order; without the disabled ones. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Takes the manifest's secrets out of a text that is to be shown. */
  readonly redact: (text: string) => string;
  /**
   * The living pipeline, for `runPipeline`.
   * @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, or `OCTO_INSTANCE_FAILED` with the reason why
   *   one of its instances did not start
   */
  pipeline(id: string): Pipeline;
  /**
   * Starts every instance, one after the other, each with its `policy.timeoutMs`. One that fails is FAILED with its
   * reason; the others go on. Rejects only with the signal's reason.
   */
  start(signal: AbortSignal): Promise<void>;
}

/**
 * Loads every plugin, checks every configuration and every step, and builds the instances: no I/O beyond loading code.
 * @throws OctoError with all that is wrong, as `issues`
 */
export async function createHost(manifest: Manifest, options: HostOptions): Promise<Host> {
  const { clock, stepKinds, redactor = new Redactor() } = options;
  const { source } = manifest;
  const loaded = await loadInstances(manifest, once(options.loadPlugin ?? loadPlugin), clock);
  const findings: StepFindings = { issues: [], secrets: new Map() };
  const steps = new Map<string, BuiltSteps>();
  for (const [id, { enabled }] of manifest.pipelines) {
    if (enabled) steps.set(id, await buildSteps(manifest, id, stepKinds, findings));
  }
  const secrets = new Map([...loaded.secrets, ...findings.secrets]);
  redactor.add(secretsOf(manifest, { secrets, isKnown: isKnownTo(loaded, steps) }));
  const kindIssues = wrongKinds(manifest, loaded.instances);
  refuse(source.sorted([...loaded.issues, ...kindIssues, ...findings.issues]), redactor);
  const { redact } = redactor;
  const built = buildInstances(manifest, loaded.instances, { ...options, redact });
  refuse(built.issues, redactor);
  return new RunningHost({ manifest, options, redact, steps, ...built });
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

/** What no schema has looked at is not known: switched off, left out, or not loaded. */
function isKnownTo(loaded: Loaded, steps: ReadonlyMap<string, unknown>) {
  return (pointer: string): boolean => {
    const [room, id = '', part] = segmentsOf(pointer);
    if (room === 'plugins' && part === 'config') return loaded.instances.has(id);
    return room === 'pipelines' && part === 'steps' ? steps.has(id) : true;
  };
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
