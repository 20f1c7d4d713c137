import { dirname } from 'node:path';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import type { PluginDescription } from '../../wire/brief.ts';
import { exitCodes } from '../exit-code.ts';
import { quietLogger } from '../logger-for.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { schemaRows } from '../schema-table.ts';
import { table } from '../table.ts';
import { fitText } from '../text-width.ts';
import { workplaceOf } from '../workplace.ts';

/** Columns. A longer default is whole in `--json`. */
const mostOfDefault = 24;

/** `octo-host plugins show ID`: what can be written into a plugin's `config`. */
export const pluginsShow: CommandCode = async (args, environment) => {
  const { stdout, rooms, clock } = environment;
  const logger = await quietLogger(args, environment);
  const { use, folder } = await locate(args, environment);
  const definition = await rooms.describePlugin(use, folder, { clock, logger });
  stdout.write(flag(args, 'json') ? `${json(use, definition)}\n` : page(use, definition));
  return exitCodes.allWell;
};

/** The operand is an instance's id, or what `use` would say. */
async function locate(
  args: Args,
  environment: Environment,
): Promise<{ readonly use: string; readonly folder: string }> {
  const [word = ''] = args.operands;
  const { manifestFile } = workplaceOf(args, environment);
  const folder = dirname(manifestFile);
  if (/^[@./]/.test(word)) return { use: word, folder };
  const { plugins } = await readManifestOf(args, environment, 'hold');
  return { use: plugins.get(word)?.use ?? word, folder };
}

function json(use: string, { name, kind, summary, configSchema }: PluginDescription): string {
  return JSON.stringify({ use, name, kind, summary: summary ?? null, configSchema });
}

function page(use: string, { name, kind, summary, configSchema }: PluginDescription): string {
  const rows = schemaRows(configSchema).map((row) => [
    row.name,
    row.type,
    row.required ? 'required' : fitText(row.default ?? '', mostOfDefault),
    row.description,
  ]);
  const example = configSchema.examples?.[0];
  return [
    `${escapeText(name)}, ${kind === 'secrets' ? 'a store of secrets' : `a ${kind}`} (${escapeText(use)})`,
    ...(summary === undefined ? [] : [escapeText(summary)]),
    '',
    ...table(['name', 'type', 'default', 'description'], rows),
    ...(example === undefined ? [] : ['', 'Example:', JSON.stringify(example, null, 2)]),
    '',
  ].join('\n');
}
