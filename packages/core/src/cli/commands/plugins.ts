import type { Manifest } from '../../manifest/manifest.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { quietLogger } from '../logger-for.ts';
import { packageVersion } from '../package-version.ts';
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
  readonly pipelines: readonly string[];
}

/** `octo-host plugins`: the instances of the manifest and where they come from. Connects nowhere. */
export const plugins: CommandCode = async (args, environment) => {
  const { rooms, env, clock, redactor, stdout } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const manifest = await rooms.readManifest(manifestFile, { env });
  await using host = await rooms.createHost(manifest, {
    logger: await quietLogger(args, environment),
    clock,
    stateFolder,
    stepKinds: await rooms.stepKinds(),
    redactor,
  });
  const listed = [...manifest.plugins.values()].map(({ id, use, enabled }): Listed => {
    const definition = host.instances.get(id)?.definition;
    return {
      id,
      use,
      version: packageVersion(use, manifest.folder),
      kind: definition?.kind,
      plugin: definition?.name,
      summary: definition?.summary,
      enabled,
      pipelines: pipelinesOf(id, manifest),
    };
  });
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ plugins: listed })}\n`);
  else stdout.write(`${lines(listed).join('\n')}\n`);
  return exitCodes.allWell;
};

function pipelinesOf(id: string, { pipelines }: Manifest): string[] {
  const using = [...pipelines.values()].filter(({ from, to }) => from === id || to === id);
  return using.map((pipeline) => pipeline.id);
}

function lines(listed: readonly Listed[]): string[] {
  const rows = listed.map(({ id, use, version, kind, enabled, pipelines }) => [
    id,
    kind ?? '–',
    enabled ? 'enabled' : 'disabled',
    escapeText(use),
    version ?? '–',
    pipelines.join(', ') || 'none',
  ]);
  return table(['id', 'kind', 'state', 'plugin', 'version', 'used by'], rows);
}
