import { resolve } from 'node:path';
import { errorOfIssues, OctoError } from '../../errors/octo-error.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { type Outline, outlineOf } from '../../manifest/outline.ts';
import { planFrom, type Plan } from '../../manifest/plan.ts';
import { removalsIssue } from '../../manifest/removals.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { planLines } from '../plan-report.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { workplaceOf } from '../workplace.ts';

interface Comparison {
  /** What the manifest is compared with, in words. */
  readonly with: string;
  readonly isRunning: boolean;
  readonly plan: Plan;
  /** Ids of the pipelines that run before. */
  readonly running: readonly string[];
}

/** `octo-host plan`: what the manifest would start, keep and retire, without doing it. Connects nowhere. */
export const plan: CommandCode = async (args, environment) => {
  const { stdout, redactor } = environment;
  try {
    const manifest = await validManifest(args, environment);
    const compared = await compare(manifest, args, environment);
    const missing = removalsIssue(compared.running, manifest);
    if (!flag(args, 'json')) {
      stdout.write(`compared with ${compared.with}\n\n${planLines(compared.plan).join('\n')}\n`);
    }
    if (missing !== undefined) throw errorOfIssues([missing]);
    if (flag(args, 'json')) {
      const { plan: found, isRunning } = compared;
      stdout.write(`${JSON.stringify({ ok: true, running: isRunning, ...found })}\n`);
    }
    return exitCodes.allWell;
  } catch (error) {
    if (!flag(args, 'json') || !(error instanceof OctoError)) throw error;
    const issues = error.issues.map((one) => ({ ...one, message: redactor.redact(one.message) }));
    stdout.write(`${JSON.stringify({ ok: false, issues })}\n`);
    return exitCodes.refused;
  }
};

/** Builds every plugin and throws it away, as a host would before it starts anything. */
async function validManifest(args: Args, environment: Environment): Promise<Manifest> {
  await using host = await environment.rooms.createHost(
    await readManifestOf(args, environment),
    await hostOptions(args, environment, await quietLogger(args, environment)),
  );
  return host.manifest;
}

async function compare(
  manifest: Manifest,
  args: Args,
  environment: Environment,
): Promise<Comparison> {
  const { rooms, cwd } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const file = stringOption(args, 'against');
  if (file !== undefined) {
    const other = await readManifestOf(args, environment, 'refuse', resolve(cwd, file));
    // Only the texts are compared: where the other one lies does not matter.
    const before = { ...outlineOf(other), folder: manifest.folder };
    return comparison(file, false, before, planFrom(before, manifest, outlineOf(manifest)));
  }
  const served = await rooms.readServed(stateFolder);
  if (served === undefined || !(await rooms.hostRuns(stateFolder))) {
    const nothing = { folder: manifest.folder, plugins: new Map(), pipelines: new Map() };
    const everything = planFrom(nothing, manifest, outlineOf(manifest));
    return comparison('nothing: no host runs here', false, nothing, everything);
  }
  const found = planFrom(served.outline, manifest, outlineOf(manifest, served.mark));
  return comparison(`the running host, process ${served.pid}`, true, served.outline, found);
}

function comparison(text: string, isRunning: boolean, before: Outline, found: Plan): Comparison {
  return { with: text, isRunning, plan: found, running: [...before.pipelines.keys()] };
}
