/** Holds the parts of a request to their schemas, and says in Bloomberg's envelope what is wrong. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { COMPONENT_SCHEMAS } from './component-schemas.ts';
import { RestRefusal, type RefusalDetail } from './rest-refusal.ts';

/** A part that fits its schema. */
export interface Component {
  readonly '@type': string;
  readonly identifier?: string;
  readonly title?: string;
  readonly description?: string;
  /** Of a scheduled trigger. */
  readonly frequency?: string;
  readonly startDate?: string;
  readonly startTime?: string;
  /** Of a universe or a field list. */
  readonly contains?: readonly object[];
  readonly [member: string]: unknown;
}

const ajv = new Ajv2020({ discriminator: true, strict: true, strictRequired: false });
const validators = new Map<string, ValidateFunction>();

/**
 * @param types the `@type`s that are allowed
 * @param pointer where in the body the part stands
 * @throws RestRefusal 400
 */
export function checkedComponent(
  value: unknown,
  types: readonly string[],
  pointer: string,
): Component {
  const type = typeOf(value);
  if (type === undefined || !types.includes(type)) {
    throw badBody([detailOf(`${pointer}/@type`, `Must be ${types.join(' or ')}.`)]);
  }
  const validate = validatorOf(type);
  if (!validate(value)) {
    throw badBody((validate.errors ?? []).map((error) => detailOfError(error, pointer)));
  }
  return value as Component;
}

export function badBody(errors: readonly RefusalDetail[]): RestRefusal {
  return new RestRefusal(400, errors[0]?.detail ?? 'Invalid value provided.', errors);
}

export function detailOf(pointer: string, detail: string): RefusalDetail {
  return { detail, pointer, location: 'body' };
}

function typeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('@type' in value)) return undefined;
  const { '@type': type } = value;
  return typeof type === 'string' && Object.hasOwn(COMPONENT_SCHEMAS, type) ? type : undefined;
}

function validatorOf(type: string): ValidateFunction {
  const known = validators.get(type);
  if (known !== undefined) return known;
  const validate = ajv.compile(COMPONENT_SCHEMAS[type] ?? false);
  validators.set(type, validate);
  return validate;
}

function detailOfError({ instancePath, message, params }: ErrorObject, pointer: string) {
  const { additionalProperty } = params as { readonly additionalProperty?: string };
  const member = additionalProperty === undefined ? '' : `/${additionalProperty}`;
  return detailOf(`${pointer}${instancePath}${member}`, `Invalid value provided: ${message}.`);
}
