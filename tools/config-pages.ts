import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPluginDefinition } from '@octo/plugin-api';
import { format, resolveConfig } from 'prettier';
import { stepKinds } from '../packages/core/src/pipeline/steps/index.ts';
import { examplesOf, settingsTable } from './config-page.ts';

/** Every page of docs/config/ by file name: what the schemas in the code say, for people. */
export async function configPages(root: string): Promise<Map<string, string>> {
  const pages = new Map([
    ['manifest.md', manifestPage(root)],
    ['steps.md', stepsPage()],
  ]);
  const folders = readdirSync(join(root, 'packages')).toSorted();
  for (const folder of folders.filter((name) => /^(provider|sink|secrets)-/.test(name))) {
    pages.set(`${folder}.md`, await pluginPage(`@octo/${folder}`));
  }
  const style = (await resolveConfig(join(root, 'docs/config/page.md'))) ?? {};
  for (const [name, text] of pages) {
    pages.set(name, await format(text, { ...style, parser: 'markdown' }));
  }
  return pages;
}

const NOTE =
  '<!-- Generated from the schemas by `node --conditions=octo-source tools/write-config-pages.ts`; edit those. -->';

function page(title: string, ...paragraphs: readonly string[]): string {
  return `${[`# ${title}`, NOTE, ...paragraphs.filter((text) => text !== '')].join('\n\n')}\n`;
}

function manifestPage(root: string): string {
  const file = join(root, 'packages/core/schema/plugins.schema.json');
  const schema = JSON.parse(readFileSync(file, 'utf8')) as object;
  return page(
    'plugins.json',
    'JSON with comments and trailing commas. `*` stands for an id of your choice: lower-case letters, digits, `-` and `_`.',
    'Any text may hold `${env:NAME}`, `${file:path}` (relative to the manifest) and, in plugins, pipelines and the host, `${secret:name}` of the store that was granted to it ([operating.md](../operating.md#secrets-in-the-manifest)); `$${` is a plain `${`. A text that is one reference and nothing else may stand for a number or a boolean.',
    settingsTable(schema),
  );
}

function stepsPage(): string {
  const steps = stepKinds.flatMap(({ name, optionsSchema }) => [
    `## ${name}`,
    optionsSchema.description ?? '',
    settingsTable(optionsSchema),
  ]);
  return page(
    'Steps of a pipeline',
    'What stands in `steps`: a name alone, or the name with options: `{ "decrypt": { "keys": ["${file:key.asc}"] } }`.',
    ...steps,
  );
}

async function pluginPage(name: string): Promise<string> {
  const { default: plugin } = (await import(name)) as { readonly default?: unknown };
  if (!isPluginDefinition(plugin)) throw new Error(`${name} has no plugin as its default export`);
  const { summary = '', kind, configSchema } = plugin;
  return page(
    name,
    summary,
    `${kind === 'secrets' ? 'A store of secrets' : `A ${kind}`}. In the manifest: \`"use": "${name}"\`, and in \`config\`:`,
    settingsTable(configSchema),
    examplesOf(configSchema) === '' ? '' : `For example:\n\n${examplesOf(configSchema)}`,
  );
}
