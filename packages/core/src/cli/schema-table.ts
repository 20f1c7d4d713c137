import type { ConfigSchema } from '@octo/plugin-api';
import { escapeText } from '../observe/escape-text.ts';

/** One property of a plugin's configuration. */
export interface SchemaRow {
  /** With dots for nested objects, `[]` for the elements of a list: `afterCommit.moveTo`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** JSON, when there is one. */
  readonly default: string | undefined;
  readonly description: string;
}

/** Every property of a configuration, nested ones after the object that holds them. */
export function schemaRows(schema: ConfigSchema, prefix = ''): SchemaRow[] {
  const branches = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return branches.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([name, property]) => [
      {
        name: `${prefix}${name}`,
        type: typeName(property),
        required: required.includes(name),
        default: property.default === undefined ? undefined : JSON.stringify(property.default),
        description: escapeText(property.description ?? property.title ?? ''),
      },
      ...schemaRows(property, `${prefix}${name}.`),
      ...(property.items ? schemaRows(property.items, `${prefix}${name}[].`) : []),
    ]),
  );
}

function typeName(schema: ConfigSchema): string {
  const { type, items, oneOf, anyOf, secret } = schema;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = oneOf ?? anyOf;
  if (alternatives && type === undefined) return alternatives.map(typeName).join(' | ');
  if (type === 'array' && items) return `list of ${typeName(items)}`;
  return (type ?? 'any') + (secret ? ' (secret)' : '');
}
