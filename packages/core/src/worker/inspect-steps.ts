import type { Issue } from '../errors/octo-error.ts';
import { buildSteps } from '../host/build-steps.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { stepKinds } from '../pipeline/steps/index.ts';

/** Checks the steps of one pipeline by building them. */
export async function inspectSteps(
  manifest: Manifest,
  pipeline: string,
): Promise<{ readonly secrets: readonly string[]; readonly issues: readonly Issue[] }> {
  const issues: Issue[] = [];
  const { secrets } = await buildSteps(manifest, pipeline, stepKinds, issues);
  return { secrets: [...secrets.keys()], issues };
}
