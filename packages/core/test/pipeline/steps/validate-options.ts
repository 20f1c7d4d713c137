import type { ConfigSchema } from '@octo/plugin-api';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** `options` with the schema's defaults, as the host hands them to a step. Throws when they do not satisfy it. */
export function validateOptions(schema: ConfigSchema, options: object): object {
  const ajv = new Ajv2020({ useDefaults: true, strict: true, ownProperties: true });
  ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' });
  const copy = structuredClone(options);
  if (!ajv.validate(schema, copy)) throw new Error(ajv.errorsText());
  return copy;
}
