import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ConfigSchema } from '@octo/plugin-api';

/** Checks configurations against a plugin's schema as a host does: draft 2020-12, defaults applied. */
export function configCheck(schema: ConfigSchema): (config: unknown) => string[] {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    useDefaults: true,
    validateFormats: false,
  });
  ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' });
  ajv.addKeyword({ keyword: 'access', metaSchema: { enum: ['read', 'write', 'create'] } });
  const validate = ajv.compile(schema);
  return (config) => {
    if (validate(config)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
    );
  };
}

/** What a host refuses in a configuration schema, each with the JSON pointer; empty when it is sound. */
export function schemaFaults(schema: ConfigSchema): string[] {
  const faults = looseObjects(schema, '');
  try {
    configCheck(schema);
  } catch (error) {
    faults.push(`not a schema of draft 2020-12: ${(error as Error).message}`);
  }
  if (schema.type !== 'object') faults.push("its type is not 'object'");
  return faults;
}

function looseObjects(schema: ConfigSchema, at: string): string[] {
  const isObject = schema.type === 'object' || schema.properties !== undefined;
  const own =
    isObject && schema.additionalProperties !== false
      ? [`${at || '/'} takes unknown properties: set additionalProperties to false`]
      : [];
  return [
    ...own,
    ...partsOf(schema).flatMap(([name, part]) => looseObjects(part, `${at}/${name}`)),
  ];
}

function partsOf(schema: ConfigSchema): (readonly [string, ConfigSchema])[] {
  const named = (name: string, parts: readonly ConfigSchema[] = []) =>
    parts.map((part, i) => [`${name}/${i}`, part] as const);
  const properties = Object.entries(schema.properties ?? {});
  return [
    ...properties.map(([name, part]) => [`properties/${name}`, part] as const),
    ...(schema.items ? [['items', schema.items] as const] : []),
    ...named('oneOf', branches(schema, schema.oneOf)),
    ...named('anyOf', branches(schema, schema.anyOf)),
  ];
}

/** A branch of an object only adds conditions; the object itself names and closes the properties. */
function branches(schema: ConfigSchema, parts: readonly ConfigSchema[] = []): ConfigSchema[] {
  return parts.filter((part) => schema.type !== 'object' || part.type !== undefined);
}
