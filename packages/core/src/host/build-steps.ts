import type { Issue } from '../errors/octo-error.ts';
import { OctoError } from '../errors/octo-error.ts';
import type { Manifest, StepConfig } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Step, StepKind } from '../pipeline/step.ts';
import { validateConfig } from './validate-config.ts';

export interface BuiltSteps {
  readonly steps: readonly Step[];
  /** Values at places that the steps' schemas mark secret, by pointer into the manifest. */
  readonly secrets: ReadonlyMap<string, unknown>;
}

/** The steps of one pipeline; what is wrong goes into `issues`. */
export async function buildSteps(
  manifest: Manifest,
  pipelineId: string,
  kinds: readonly StepKind[],
  issues: Issue[],
): Promise<BuiltSteps> {
  const steps: Step[] = [];
  const secrets = new Map<string, unknown>();
  const configs = manifest.pipelines.get(pipelineId)?.steps ?? [];
  for (const [index, config] of configs.entries()) {
    const pointer = pointerTo(pointerTo(pointerTo('/pipelines', pipelineId), 'steps'), index);
    const kind = kinds.find(({ name }) => name === config.name);
    if (kind === undefined) {
      const names = kinds.map(({ name }) => name);
      issues.push(unknownStep(manifest, config.name, pointer, names));
      continue;
    }
    const step = await buildStep({ manifest, kind, config, pointer, issues, secrets });
    if (step === undefined) continue;
    steps.push(step);
  }
  return { steps, secrets };
}

function unknownStep(
  { source }: Manifest,
  name: string,
  pointer: string,
  known: readonly string[],
): Issue {
  const shown = source.references.has(pointer)
    ? source.shown(pointer, name)
    : `'${escapeText(name)}'`;
  const hint = didYouMean(name, known) || `; there is ${listOf(known)}`;
  return source.issue('OCTO_STEP_UNKNOWN', pointer, `names ${shown}, which is no step${hint}`);
}

interface OneStep {
  readonly manifest: Manifest;
  readonly kind: StepKind;
  readonly config: StepConfig;
  readonly pointer: string;
  readonly issues: Issue[];
  readonly secrets: Map<string, unknown>;
}

async function buildStep(one: OneStep): Promise<Step | undefined> {
  const { kind, config, issues, secrets } = one;
  const { source } = one.manifest;
  const pointer = pointerTo(one.pointer, config.name);
  try {
    const checked = validateConfig(
      `step '${kind.name}'`,
      kind.optionsSchema,
      config.options,
      (at) => source.isReference(pointer + at),
    );
    for (const [at, value] of checked.secrets) secrets.set(pointer + at, value);
    for (const { pointer: at, text, of } of checked.problems) {
      issues.push(source.issue('OCTO_STEP_OPTIONS', pointer + at, text, of));
    }
    if (checked.problems.length > 0) return undefined;
    // The schema has just promised what `create` asks for.
    return await kind.create(checked.value as never);
  } catch (error) {
    const code = error instanceof OctoError ? error.code : 'OCTO_STEP_OPTIONS';
    issues.push(source.remark(code, pointer, describeError(error)));
    return undefined;
  }
}
