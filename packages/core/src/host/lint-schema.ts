import type { ConfigSchema } from '@octo/plugin-api';
import { pointerTo } from '../manifest/pointer.ts';

/**
 * What a configuration schema must have beyond being a schema: it describes an object, and every object in it refuses
 * unknown properties, so that no typing error passes unseen. Says where it does not; `undefined` when all is well.
 */
export function lintSchema(schema: ConfigSchema): string | undefined {
  if (schema.type !== 'object') return `its root must have "type": "object"`;
  return lint(schema, '', false);
}

function lint(schema: ConfigSchema, pointer: string, insideClosed: boolean): string | undefined {
  const describesObject = schema.type === 'object' || schema.properties !== undefined;
  const closed = schema.additionalProperties === false || isSchema(schema.additionalProperties);
  // A form inside oneOf or anyOf may narrow an object that is closed already; one that names a type stands alone.
  const narrows = insideClosed && schema.type === undefined;
  if (describesObject && !closed && !narrows) {
    return `${pointer === '' ? 'its root' : pointer} must have "additionalProperties": false`;
  }
  for (const [path, part, form] of partsOf(schema)) {
    const place = path.reduce<string>(pointerTo, pointer);
    const problem = lint(part, place, form && (closed || narrows));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

type Part = readonly [path: readonly (string | number)[], schema: ConfigSchema, form: boolean];

function partsOf(schema: ConfigSchema): Part[] {
  const parts: Part[] = Object.entries(schema.properties ?? {}).map(([name, part]) => [
    ['properties', name],
    part,
    false,
  ]);
  if (schema.items !== undefined) parts.push([['items'], schema.items, false]);
  if (isSchema(schema.additionalProperties)) {
    parts.push([['additionalProperties'], schema.additionalProperties, false]);
  }
  for (const key of ['oneOf', 'anyOf'] as const) {
    for (const [index, part] of (schema[key] ?? []).entries())
      parts.push([[key, index], part, true]);
  }
  return parts.filter(([, part]) => isSchema(part));
}

function isSchema(value: unknown): value is ConfigSchema {
  return typeof value === 'object' && value !== null;
}
