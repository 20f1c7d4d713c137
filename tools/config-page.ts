import type { ConfigSchema } from '@octo/plugin-api';

/** The part of a schema that a page shows. The manifest's own schema says types as lists, too. */
type Schema = Omit<ConfigSchema, 'type'> & { readonly type?: string | readonly string[] };

/** A table of everything that a schema allows, one line a setting, nested ones with dots. Markdown, 1 line a row. */
export function settingsTable(schema: object): string {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return 'There is nothing to set.';
  const lines = [['Setting', 'Type', 'Default', 'Meaning'], ['---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

/** The schema's examples as JSON, each in a block of its own. */
export function examplesOf(schema: object): string {
  const { examples = [] } = schema as Schema;
  return examples
    .map((example) => `\`\`\`json\n${JSON.stringify(example, undefined, 2)}\n\`\`\``)
    .join('\n\n');
}

type Row = readonly [name: string, type: string, byDefault: string, meaning: string];

function rowsOf(schema: Schema, prefix: string): Row[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const path = `${prefix}${name}`;
    const needed = schema.required?.includes(name) === true;
    return [rowOf(path, part, needed), ...nestedRows(part, path)];
  });
  const forms = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return [...own, ...forms.flatMap((form) => rowsOf(form, prefix))];
}

function nestedRows(schema: Schema, path: string): Row[] {
  const values = schema.additionalProperties;
  const map = typeof values === 'object' ? rowsOf(values, `${path}.*.`) : [];
  const items = schema.items === undefined ? [] : rowsOf(schema.items, `${path}[].`);
  return [...rowsOf(schema, `${path}.`), ...map, ...items];
}

function rowOf(path: string, schema: Schema, needed: boolean): Row {
  const marks = [
    needed && 'required',
    (schema.secret ?? schema.items?.secret) === true && 'secret',
    schema.deprecated === true && 'deprecated',
  ];
  const meaning = [marks.filter(Boolean).join(', '), schema.description ?? '']
    .filter(Boolean)
    .join('; ');
  const shown = schema.default === undefined || isEmpty(schema.default) ? '' : code(schema.default);
  return [`\`${path}\``, typeOf(schema), shown, meaning];
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.const !== undefined) return code(schema.const);
  const forms = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (schema.type === undefined) return [...new Set(forms.map(typeOf))].join(' or ');
  const bounds = [schema.minimum, schema.maximum];
  const range = bounds.every((bound) => bound === undefined)
    ? ''
    : ` ${bounds.map(bound).join('…')}`;
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {}) || 'anything'}`;
  return [schema.type].flat().join(' or ') + range;
}

function bound(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
