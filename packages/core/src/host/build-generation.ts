import type { Issue } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Plan } from '../manifest/plan.ts';
import type { Redactor } from '../observe/redactor.ts';
import { buildInstances } from './build-instances.ts';
import { type BuiltSteps, buildSteps } from './build-steps.ts';
import { disposeInstances } from './dispose-instances.ts';
import type { Generation } from './generation.ts';
import type { HostOptions } from './host.ts';
import type { LivingInstance } from './instance.ts';
import { judgeManifest } from './judge-manifest.ts';
import { type LoadedInstance, loadInstances } from './load-instances.ts';
import { loadPlugin, once } from './load-plugin.ts';
import { only, sameSteps } from './heritage.ts';

/** What goes on from the generation before. */
export interface Heritage {
  readonly instances: ReadonlyMap<string, LivingInstance>;
  readonly steps: ReadonlyMap<string, BuiltSteps>;
  /** Instances whose code was defect before and is the same now. */
  readonly broken: ReadonlySet<string>;
}

/** At the start of a host there is nothing to keep. */
export const NO_HERITAGE: Heritage = { instances: new Map(), steps: new Map(), broken: new Set() };

/** What of a generation goes on when a plan is carried out. */
export function heritageOf({ instances, steps, broken }: Generation, plan: Plan): Heritage {
  return {
    instances: only(instances, plan.plugins.kept),
    steps: only(steps, sameSteps(plan)),
    broken: new Set(plan.plugins.kept.filter((id) => broken.has(id))),
  };
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
  const all = new Map<string, Judged>([...heritage.instances, ...loaded.instances]);
  const isTolerated = (id: string) => options.defects === 'isolate' || heritage.broken.has(id);
  const judge = (found: readonly Issue[]) => {
    const instances = new Map([...all].map(([id, one]) => [id, judged(one)] as const));
    return judgeManifest({ manifest, instances, steps, issues: found }, { redactor, isTolerated });
  };
  const unloaded = judge([...loaded.issues, ...issues]);
  const { redact } = redactor;
  const built = buildInstances(manifest, loaded.instances, { ...options, redact });
  try {
    const broken = new Map([...unloaded, ...judge(built.issues)]);
    const living = new Map([...heritage.instances, ...built.instances]);
    const instances = only(living, manifest.plugins.keys());
    return { manifest, instances, units: [...instances.values()], steps, broken };
  } catch (error) {
    await disposeInstances(built.instances.values(), { ...options, redact });
    throw error;
  }
}

type Judged = Pick<LoadedInstance, 'definition' | 'secrets'>;

function judged({ definition: { kind }, secrets }: Judged) {
  return { kind, secrets };
}

async function stepsOf(manifest: Manifest, heritage: Heritage, { stepKinds = [] }: HostOptions) {
  const steps = new Map<string, BuiltSteps>();
  const issues: Issue[] = [];
  for (const [id, { enabled }] of manifest.pipelines) {
    if (!enabled) continue;
    const same = heritage.steps.get(id);
    steps.set(id, same ?? (await buildSteps(manifest, id, stepKinds, issues)));
  }
  return { steps, issues };
}
