import type { ErrorObject } from 'ajv/dist/2020.js';
import { escapeText } from '../observe/escape-text.ts';
import { parentOf, pointerTo } from './pointer.ts';
import { didYouMean, listOf, suggest } from './suggest.ts';

/** One thing that is wrong with a value, in words that follow the name of its place: `is missing`. */
export interface Problem {
  readonly pointer: string;
  readonly of: 'key' | 'value';
  readonly text: string;
}

/** What ajv found, as a person would say it. Never quotes a value; names only keys, and what the schema allows. */
export function problemsOf(errors: readonly ErrorObject[]): Problem[] {
  const telling = withoutEchoes(flattened(errors));
  const problems = new Map<string, Problem>();
  for (const error of telling) {
    const problem = problemOf(error);
    problems.set(`${problem.pointer}\n${problem.text}`, problem);
  }
  return [...problems.values()].slice(0, MOST);
}

/** Nobody reads more; a hostile manifest can have a hundred thousand. */
const MOST = 100;

/** Of `oneOf` and `anyOf`, only the errors of the form that was probably meant. */
function flattened(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const inside = (error: ErrorObject, choice: ErrorObject) =>
    error !== choice &&
    error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
    error.instancePath.startsWith(choice.instancePath);
  const outer = choices.filter((choice) => !choices.some((other) => inside(choice, other)));
  const plain = errors.filter(
    (error) => !outer.some((choice) => error === choice || inside(error, choice)),
  );
  const chosen = outer.flatMap((choice) =>
    meantBy(
      choice,
      errors.filter((error) => inside(error, choice)),
    ),
  );
  return [...plain, ...chosen];
}

function meantBy(choice: ErrorObject, errors: readonly ErrorObject[]): ErrorObject[] {
  const forms = Map.groupBy(errors, ({ schemaPath }) =>
    Number(schemaPath.slice(choice.schemaPath.length + 1).split('/')[0]),
  );
  const all = [...forms.values()].map(flattened);
  const missing = all.map((form) => missingAlone(form, choice));
  if (missing.length > 1 && missing.every((name) => name !== undefined)) {
    return [{ ...choice, params: { missing } }];
  }
  const fitting = all.filter((form) => !form.some((error) => rulesOut(error, choice)));
  const [best] = (fitting.length > 0 ? fitting : []).toSorted((a, b) => a.length - b.length);
  return best ?? [choice];
}

/** The one property that this form needs and has not, when that is all that is wrong with it. */
function missingAlone(
  [first, ...more]: readonly ErrorObject[],
  choice: ErrorObject,
): string | undefined {
  if (first?.keyword !== 'required' || more.length > 0) return undefined;
  return first.instancePath === choice.instancePath
    ? String(first.params.missingProperty)
    : undefined;
}

/** A wrong type, or another value where forms are told apart: this form was not meant. */
function rulesOut(
  { keyword, instancePath, params, data }: ErrorObject,
  choice: ErrorObject,
): boolean {
  const here = instancePath === choice.instancePath;
  if (keyword === 'type') return here;
  if (keyword === 'enum') {
    return (
      here && !(params.allowedValues as unknown[]).some((value) => typeof value === typeof data)
    );
  }
  return keyword === 'const' && parentOf(instancePath) === choice.instancePath;
}

/** Without what another error says better: a misspelt name is both unknown and missing. */
function withoutEchoes(errors: readonly ErrorObject[]): ErrorObject[] {
  const meant = new Set(
    errors
      .filter(isUnknownKey)
      .map((error) => pointerTo(error.instancePath, meantKey(error) ?? '')),
  );
  const propertyNames = errors.some(({ keyword }) => keyword === 'propertyNames');
  return errors.filter((error) => {
    if (error.keyword === 'if') return false;
    if (propertyNames && error.propertyName !== undefined && error.keyword !== 'propertyNames')
      return false;
    if (error.keyword !== 'required') return true;
    return !meant.has(pointerTo(error.instancePath, String(error.params.missingProperty)));
  });
}

function isUnknownKey({ keyword }: ErrorObject): boolean {
  return keyword === 'additionalProperties' || keyword === 'unevaluatedProperties';
}

function unknownKey({ params }: ErrorObject): string {
  return String(params.additionalProperty ?? params.unevaluatedProperty);
}

function knownKeys({ parentSchema }: ErrorObject): string[] {
  const properties: unknown = parentSchema?.properties;
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function meantKey(error: ErrorObject): string | undefined {
  return suggest(unknownKey(error), knownKeys(error));
}

function problemOf(error: ErrorObject): Problem {
  const { keyword, instancePath, params } = error;
  const at = (pointer: string, text: string, of: 'key' | 'value' = 'value') => ({
    pointer,
    of,
    text,
  });
  if (isUnknownKey(error)) {
    const known = knownKeys(error);
    const hint = didYouMean(unknownKey(error), known);
    const others = known.length === 0 ? '' : `; known here: ${known.join(', ')}`;
    return at(pointerTo(instancePath, unknownKey(error)), `is not known${hint || others}`, 'key');
  }
  if (keyword === 'required')
    return at(pointerTo(instancePath, String(params.missingProperty)), 'is missing');
  if (keyword === 'dependentRequired') {
    const needs = `is missing; '${params.property}' needs it`;
    return at(pointerTo(instancePath, String(params.missingProperty)), needs);
  }
  if (keyword === 'propertyNames') {
    const name = pointerTo(instancePath, String(params.propertyName));
    return at(name, 'is no allowed name: lower-case letters, digits, - and _, up to 63', 'key');
  }
  return at(instancePath, textOf(error));
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'an object {…}',
  array: 'a list […]',
  string: 'a text in quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

function textOf({ keyword, params, parentSchema, message }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `must be ${[params.type]
        .flat()
        .map((type) => TYPES[String(type)] ?? type)
        .join(' or ')}`;
    case 'enum':
      return `must be ${spelled(params.allowedValues)}`;
    case 'const':
      return `must be ${spelled([params.allowedValue])}`;
    case 'pattern':
    case 'format':
      return `has not the right form${formHint(keyword, params, parentSchema)}`;
    case 'minimum':
    case 'exclusiveMinimum':
      return `must be ${keyword === 'minimum' ? 'at least' : 'more than'} ${params.limit}`;
    case 'maximum':
    case 'exclusiveMaximum':
      return `must be ${keyword === 'maximum' ? 'at most' : 'less than'} ${params.limit}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return params.limit === 1 ? 'must not be empty' : `is too short: at least ${params.limit}`;
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return params.limit === 0 ? 'must be empty' : `has too many parts: at most ${params.limit}`;
    case 'uniqueItems':
      return 'names the same thing twice';
    case 'oneOf':
    case 'anyOf':
      return choiceText(params);
    case 'not':
    case 'false schema':
      return 'is not allowed in this combination';
    default:
      return escapeText(message ?? `does not satisfy '${keyword}'`);
  }
}

function choiceText(params: ErrorObject['params']): string {
  if (Array.isArray(params.missing)) return `needs ${listOf(params.missing.map(String))}`;
  if (params.passingSchemas !== undefined && params.passingSchemas !== null) {
    return 'mixes settings of several forms; use those of one';
  }
  return 'has none of the allowed forms';
}

function spelled(values: readonly unknown[]): string {
  const words = values.map((value) =>
    typeof value === 'string' ? `'${value}'` : JSON.stringify(value),
  );
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function formHint(
  keyword: string,
  params: ErrorObject['params'],
  schema: ErrorObject['parentSchema'],
): string {
  const examples: unknown = schema?.examples;
  if (Array.isArray(examples) && examples.length > 0) return `; such as ${spelled(examples)}`;
  return keyword === 'format' ? ` (${params.format})` : `: it must match ${params.pattern}`;
}
