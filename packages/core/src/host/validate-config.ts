import type { ConfigSchema } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import {
  type Check,
  type Checked,
  compileCheck,
  type IsReference,
} from '../manifest/check-value.ts';
import { describeError } from '../observe/describe-error.ts';
import { lintSchema } from './lint-schema.ts';

/**
 * Holds a configuration against a plugin's (or step's) schema.
 * @param owner for messages about the schema itself: `'acme-sink'`
 * @throws OctoError `OCTO_PLUGIN_SCHEMA` when the schema is not right: a defect of the plugin, not of the manifest
 */
export function validateConfig(
  owner: string,
  schema: ConfigSchema,
  config: unknown,
  isReference: IsReference,
): Checked {
  return checkFor(owner, schema)(config, isReference);
}

/** Compiling takes milliseconds, and a hundred instances may have one schema. */
const compiled = new WeakMap<ConfigSchema, Check>();

function checkFor(owner: string, schema: ConfigSchema): Check {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  try {
    const problem = lintSchema(schema);
    if (problem !== undefined) throw new Error(problem);
    const check = compileCheck(schema);
    compiled.set(schema, check);
    return check;
  } catch (error) {
    const message = `${owner} has a configuration schema that is not right: ${describeError(error)}`;
    throw new OctoError('OCTO_PLUGIN_SCHEMA', message, { cause: error });
  }
}
