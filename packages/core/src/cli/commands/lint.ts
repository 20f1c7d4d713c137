import { relative } from 'node:path';
import { OctoError, type Issue } from '../../errors/octo-error.ts';
import type { Host } from '../../host/host.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { issueLine } from '../explain-error.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { count } from '../run-line.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host lint`: reads the manifest, loads and builds every plugin, throws it all away. No connection anywhere. */
export const lint: CommandCode = async (args, environment) => {
  const { stdout, redactor, cwd } = environment;
  const { manifestFile } = workplaceOf(args, environment);
  const shown = escapeText(relative(cwd, manifestFile) || manifestFile);
  const { issues, summary } = await inspect(args, environment);
  if (flag(args, 'json')) {
    const clean = issues.map((issue) => ({ ...issue, message: redactor.redact(issue.message) }));
    stdout.write(
      `${JSON.stringify({ ok: issues.length === 0, manifest: manifestFile, issues: clean })}\n`,
    );
  } else if (issues.length === 0) {
    stdout.write(`${shown}: all well: ${summary}\n`);
  } else {
    for (const issue of issues) stdout.write(`${redactor.redact(issueLine(issue))}\n`);
    stdout.write(`${shown}: ${count(issues.length, 'problem')}\n`);
  }
  return issues.length === 0 ? exitCodes.allWell : exitCodes.refused;
};

async function inspect(
  args: Args,
  environment: Environment,
): Promise<{ readonly issues: readonly Issue[]; readonly summary: string }> {
  try {
    return { issues: [], summary: summaryOf(await buildAndDrop(args, environment)) };
  } catch (error) {
    if (error instanceof OctoError) return { issues: error.issues, summary: '' };
    throw error;
  }
}

async function buildAndDrop(args: Args, environment: Environment): Promise<Manifest> {
  await using host: Host = await environment.rooms.createHost(
    await readManifestOf(args, environment),
    await hostOptions(args, environment, await quietLogger(args, environment)),
  );
  return host.manifest;
}

function summaryOf({ plugins, pipelines }: Manifest): string {
  return `${count(plugins.size, 'plugin')}, ${count(pipelines.size, 'pipeline')}`;
}
