import { join } from 'node:path';
import { type Issue, OctoError } from '../errors/octo-error.ts';
import { excerptOf } from '../manifest/excerpt.ts';
import type { InstanceConfig, Manifest, PipelineConfig } from '../manifest/manifest.ts';
import type { PluginCode } from '../manifest/package-entry.ts';
import type { Plan } from '../manifest/plan.ts';
import { pointerTo, segmentsOf, valueAt } from '../manifest/pointer.ts';
import type { Redactor } from '../observe/redactor.ts';
import type { InspectedInstance } from '../wire/brief.ts';
import { groundFor } from '../workers/ground.ts';
import { Inspection } from '../workers/inspection.ts';
import { PipelineWorker } from '../workers/pipeline-worker.ts';
import type { WorkerLimits } from '../workers/worker-limits.ts';
import { only, sameSteps } from './heritage.ts';
import type { HostOptions } from './host.ts';
import { pluginCode } from './load-plugin.ts';
import { judgeManifest } from './judge-manifest.ts';
import { RemoteInstance, type WorkerOf } from './remote-instance.ts';
import type { Serving } from './succession.ts';

/** What serves one manifest when plugins live in workers. */
export interface IsolatedGeneration extends Serving<PipelineWorker> {
  /** By pipeline. */
  readonly workers: ReadonlyMap<string, PipelineWorker>;
  /** By instance: of those that no pipeline uses. */
  readonly lone: ReadonlyMap<string, PipelineWorker>;
  /** Pointers of secrets in the options of steps, by pipeline; the same object as long as the steps are the same. */
  readonly steps: ReadonlyMap<string, readonly string[]>;
  readonly instances: ReadonlyMap<string, RemoteInstance>;
  /** Instances that are missing because their code is defect, with the reason. */
  readonly broken: ReadonlyMap<string, Issue>;
}

export interface IsolatedOptions extends HostOptions {
  readonly redactor: Redactor;
  readonly limits: WorkerLimits;
  readonly onChange: () => void;
  readonly workerOf: WorkerOf;
}

/**
 * Looks at every plugin and every step that is not kept, and prepares the workers. No worker is started.
 * @param plan what is kept; nothing, when there is none
 * @throws OctoError with all that is wrong, as `issues`
 */
export async function buildIsolated(
  manifest: Manifest,
  before: IsolatedGeneration,
  options: IsolatedOptions,
  isTolerated: (instance: string) => boolean,
  plan?: Plan,
): Promise<IsolatedGeneration> {
  const kept = only(before.instances, plan?.plugins.kept ?? []);
  const sameOptions = only(before.steps, plan === undefined ? [] : sameSteps(plan));
  const found = await look(manifest, kept, sameOptions, options);
  const instances = inOrder(manifest, kept, found.instances, options);
  const broken = judgeManifest(
    {
      manifest,
      instances: new Map([...instances].map(([id, one]) => [id, judged(manifest, one)])),
      steps: new Map([...found.steps].map(([id, at]) => [id, { secrets: valuesAt(manifest, at) }])),
      issues: found.issues,
    },
    { redactor: options.redactor, isTolerated },
  );
  const served = { manifest, before, instances, steps: found.steps, options };
  const workers = pipelineWorkers(served);
  const lone = loneWorkers(served, workers);
  const units = [...workers.values(), ...lone.values()];
  return { manifest, units, workers, lone, steps: found.steps, instances, broken };
}

interface Look {
  readonly instances: ReadonlyMap<string, InspectedInstance>;
  readonly steps: ReadonlyMap<string, readonly string[]>;
  readonly issues: readonly Issue[];
}

async function look(
  manifest: Manifest,
  kept: ReadonlyMap<string, RemoteInstance>,
  sameOptions: ReadonlyMap<string, readonly string[]>,
  options: IsolatedOptions,
): Promise<Look> {
  const fresh = [...manifest.plugins.values()].filter(
    ({ id, enabled }) => enabled && !kept.has(id),
  );
  const issues: Issue[] = [];
  const codes = codesOf(manifest, fresh, issues);
  await using inspection = new Inspection([...codes.values()], options);
  const instances = new Map<string, InspectedInstance>();
  for (const [use, { entry }] of codes) {
    const ids = fresh.filter((one) => one.use === use).map(({ id }) => id);
    const inspected = await inspection.plugin(manifest, { use, entry, ids });
    for (const one of inspected.instances) instances.set(one.id, one);
    issues.push(...inspected.issues);
  }
  const steps = new Map<string, readonly string[]>();
  for (const { id, enabled, steps: configs } of manifest.pipelines.values()) {
    if (!enabled) continue;
    const same = sameOptions.get(id);
    const isPlain = configs.length === 0;
    const looked = same || isPlain ? undefined : await inspection.steps(manifest, id);
    steps.set(id, same ?? looked?.secrets ?? []);
    issues.push(...(looked?.issues ?? []));
  }
  return { instances, steps, issues };
}

/** Where the code of these lies, by what the manifest calls it; for what is not there, an issue. */
function codesOf(
  { folder, source }: Manifest,
  instances: readonly InstanceConfig[],
  issues: Issue[],
): Map<string, PluginCode> {
  const codes = new Map<string, PluginCode>();
  for (const { id, use } of instances) {
    try {
      codes.set(use, codes.get(use) ?? pluginCode(use, folder));
    } catch (error) {
      if (!(error instanceof OctoError)) throw error;
      issues.push(source.remark(error.code, pointerTo('/plugins', id), error.message));
    }
  }
  return codes;
}

function inOrder(
  manifest: Manifest,
  kept: ReadonlyMap<string, RemoteInstance>,
  inspected: ReadonlyMap<string, InspectedInstance>,
  options: IsolatedOptions,
): Map<string, RemoteInstance> {
  const made = new Map<string, RemoteInstance>();
  for (const [id, config] of manifest.plugins) {
    const one = inspected.get(id);
    const instance = kept.get(id) ?? (one && new RemoteInstance(config, one, options));
    if (instance !== undefined) made.set(id, instance);
  }
  return made;
}

function judged(manifest: Manifest, { inspected }: RemoteInstance) {
  const { description, secrets } = inspected;
  return { kind: description.kind, secrets: valuesAt(manifest, secrets) };
}

/** The values are the host's own: a worker names places only. */
function valuesAt(manifest: Manifest, pointers: readonly string[]): Map<string, unknown> {
  return new Map(pointers.map((pointer) => [pointer, valueIn(manifest, pointer)]));
}

function valueIn({ plugins, pipelines }: Manifest, pointer: string): unknown {
  const [room, id = '', part, ...rest] = segmentsOf(pointer);
  if (room === 'plugins' && part === 'config') return valueAt(plugins.get(id)?.config, rest);
  if (room !== 'pipelines' || part !== 'steps') return undefined;
  const [index, , ...path] = rest;
  return valueAt(pipelines.get(id)?.steps[Number(index)]?.options, path);
}

interface Served {
  readonly manifest: Manifest;
  readonly before: IsolatedGeneration;
  readonly instances: ReadonlyMap<string, RemoteInstance>;
  readonly steps: ReadonlyMap<string, readonly string[]>;
  readonly options: IsolatedOptions;
}

function pipelineWorkers(served: Served): Map<string, PipelineWorker> {
  const workers = new Map<string, PipelineWorker>();
  for (const pipeline of served.manifest.pipelines.values()) {
    const ids = [pipeline.from, pipeline.to];
    if (!pipeline.enabled || !ids.every((id) => served.instances.has(id))) continue;
    const same = isSame(served, pipeline) ? served.before.workers.get(pipeline.id) : undefined;
    workers.set(pipeline.id, same ?? newWorker(served, pipeline.id, ids, pipeline));
  }
  return workers;
}

function loneWorkers(
  served: Served,
  workers: ReadonlyMap<string, PipelineWorker>,
): Map<string, PipelineWorker> {
  const used = new Set([...workers.values()].flatMap((worker) => worker.instances));
  const lone = new Map<string, PipelineWorker>();
  for (const [id, instance] of served.instances) {
    if (used.has(id)) continue;
    const isKept = served.before.instances.get(id) === instance;
    const same = isKept ? served.before.lone.get(id) : undefined;
    lone.set(id, same ?? newWorker(served, '', [id], undefined));
  }
  return lone;
}

/** What a process was started with is the same; all else of a pipeline goes to it with each run. */
function isSame({ before, instances, steps }: Served, now: PipelineConfig): boolean {
  const then = before.manifest.pipelines.get(now.id);
  return (
    then?.from === now.from &&
    then.to === now.to &&
    then.limits.maxMemory === now.limits.maxMemory &&
    before.steps.get(now.id) === steps.get(now.id) &&
    [now.from, now.to].every((id) => before.instances.get(id) === instances.get(id))
  );
}

/** Beyond what its plugins may take to start: loading code, building steps. Milliseconds. */
const OPEN_SLACK_MS = 30_000;
/** Of a worker that belongs to no pipeline. Bytes. */
const LONE_MEMORY = 512 * 1024 * 1024;

function newWorker(
  { manifest, instances, options }: Served,
  pipeline: string,
  ids: readonly string[],
  config: PipelineConfig | undefined,
): PipelineWorker {
  const { stateFolder, limits, disposeDeadlineMs = limits.letGoMs, env = {} } = options;
  const all = [...new Set(ids)];
  const living = all.map((id) => instances.get(id)!);
  const grounded = living.map(({ config: one, inspected }) => {
    return { config: one, inspected, code: pluginCode(one.use, manifest.folder) };
  });
  const ground = groundFor(manifest, grounded, env);
  const own = all.map((id) => join(stateFolder, 'instances', id));
  const excerpt = excerptOf(manifest, {
    plugins: all,
    pipelines: pipeline === '' ? [] : [pipeline],
  });
  const spool = pipeline === '' ? `plugin-${all[0]}` : pipeline;
  return new PipelineWorker({
    pipeline,
    instances: all,
    ground: { ...ground, write: [...ground.write, ...own] },
    brief: {
      excerpt,
      entries: new Map(grounded.map(({ config: one, code }) => [one.use, code.entry])),
      stateFolder,
      spoolFolder: join(stateFolder, 'spool', spool),
      disposeDeadlineMs,
    },
    memoryBytes: config?.limits.maxMemory ?? LONE_MEMORY,
    openMs: living.reduce((sum, one) => sum + one.config.policy.timeoutMs, OPEN_SLACK_MS),
    workersFolder: join(stateFolder, 'workers'),
    limits,
    clock: options.clock,
    logger: options.logger,
    redact: options.redactor.redact,
    onChange: options.onChange,
    pace: options.pace,
  });
}
