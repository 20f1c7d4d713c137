import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { segmentsOf } from './pointer.ts';
import { problemsOf, type Problem } from './problems.ts';

/** A value held against a schema. */
export interface Checked {
  /** A copy: defaults applied, deep-frozen. Only to be used when there is no problem. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** What stands at places that the schema marks `secret: true`, by pointer. */
  readonly secrets: ReadonlyMap<string, unknown>;
  /** Paths that the schema marks with `access`, by pointer. */
  readonly paths: ReadonlyMap<string, MarkedPath>;
}

export interface MarkedPath {
  readonly path: string;
  readonly access: Access;
}

/** What is done with what lies at a path. */
export type Access = 'read' | 'write' | 'create';

/** Whether the value at the pointer is a reference and nothing else: such a text may stand for a number or a boolean. */
export type IsReference = (pointer: string) => boolean;

export type Check = (value: unknown, isReference: IsReference) => Checked;

/**
 * Prepares to hold values against a JSON Schema 2020-12, strictly. One compiler a schema: ajv keeps what it compiled
 * for as long as it lives.
 * @throws Error of ajv when the schema itself is not right
 */
export function compileCheck(schema: object): Check {
  const marked = { secrets: new Map<string, unknown>(), paths: new Map<string, MarkedPath>() };
  const { secrets, paths } = marked;
  const validate = compiled(marked, schema);
  const errorsOf = (value: unknown): readonly ErrorObject[] => {
    secrets.clear();
    paths.clear();
    return validate(value) ? [] : (validate.errors ?? []);
  };
  return (given, isReference) => {
    let value = structuredClone(given);
    let errors = errorsOf(value);
    const converted = convertReferences(given, errors, isReference);
    if (converted !== undefined) errors = errorsOf((value = converted));
    const problems = problemsOf(errors);
    return {
      value: deepFreeze(value),
      problems,
      secrets: new Map(secrets),
      paths: new Map(paths),
    };
  };
}

/**
 * Compiling in strict mode finds what is wrong with a schema, but the meta-schema says it better. That one takes ten times as
 * long to compile as ours, so it is asked only then.
 */
function compiled(marked: Marked, schema: object): ValidateFunction {
  try {
    return compilerInto(marked, { validateSchema: false }).compile(schema);
  } catch {
    return compilerInto(marked).compile(schema);
  }
}

/** Patterns are the plugin's, texts are the operator's: a long one is refused before a slow pattern sees it. */
const MAX_PATTERN_TEXT = 4096;

interface Marked {
  readonly secrets: Map<string, unknown>;
  readonly paths: Map<string, MarkedPath>;
}

function compilerInto({ secrets, paths }: Marked, more: Options = {}): Ajv2020 {
  const boundedRegExp = Object.assign(
    (pattern: string, flags: string) => {
      const expression = new RegExp(pattern, flags);
      return {
        test: (text: string) => text.length <= MAX_PATTERN_TEXT && expression.test(text),
        // ajv keeps patterns by this text: without it, all of a schema's patterns would be the first one.
        toString: () => String(expression),
      };
    },
    { code: 'boundedRegExp' },
  );
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    ownProperties: true,
    useDefaults: true,
    logger: false,
    // Errors carry their schema, for suggestions. They carry the data, too, so they must not leave this room.
    verbose: true,
    // A schema is compiled for a few values: making its code short takes longer than running it.
    code: { regExp: boundedRegExp, optimize: false },
    ...more,
  });
  formats.default(ajv);
  ajv.addKeyword({
    keyword: 'secret',
    schemaType: 'boolean',
    errors: false,
    validate: (on: boolean, data: unknown, _schema?: object, at?: { instancePath: string }) => {
      if (on && at !== undefined) secrets.set(at.instancePath, data);
      return true;
    },
  });
  return ajv.addKeyword({
    keyword: 'access',
    metaSchema: { enum: ['read', 'write', 'create'] },
    errors: false,
    validate: (access: Access, data: unknown, _schema?: object, at?: { instancePath: string }) => {
      if (typeof data === 'string' && at !== undefined)
        paths.set(at.instancePath, { path: data, access });
      return true;
    },
  });
}

/** A copy in which referenced texts that should be numbers or booleans are that; `undefined` when there is none. */
function convertReferences(
  given: unknown,
  errors: readonly ErrorObject[],
  isReference: IsReference,
): unknown {
  let copy: unknown;
  for (const { keyword, instancePath, data, params } of errors) {
    if (keyword !== 'type' && keyword !== 'enum') continue;
    if (typeof data !== 'string' || !isReference(instancePath)) continue;
    const wanted: unknown[] = keyword === 'enum' ? params.allowedValues : [params.type].flat();
    const value = strictly(data, wanted);
    if (value === undefined) continue;
    copy ??= structuredClone(given);
    put(copy, segmentsOf(instancePath), value);
  }
  return copy;
}

function strictly(text: string, wanted: readonly unknown[]): number | boolean | undefined {
  const wants = (...some: unknown[]) => some.some((one) => wanted.includes(one));
  if (text === 'true' && wants('boolean', true)) return true;
  if (text === 'false' && wants('boolean', false)) return false;
  const number = /^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?$/.test(text) ? Number(text) : undefined;
  return wants('integer', 'number', number) ? number : undefined;
}

function put(root: unknown, segments: readonly string[], value: unknown): void {
  const last = segments.at(-1);
  let target = root as Record<string, unknown>;
  for (const segment of segments.slice(0, -1)) target = target[segment] as Record<string, unknown>;
  if (last !== undefined) target[last] = value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
