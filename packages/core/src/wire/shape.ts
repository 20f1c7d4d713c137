import { WireError } from './wire-value.ts';

/** Holds a value against a form. @returns the value, typed. @throws WireError that names the place */
export type Shape<T> = (value: unknown, place: string) => T;

export type Shaped<S> = S extends Shape<infer T> ? T : never;

function refuse(place: string, wanted: string): never {
  throw new WireError(`${place} must be ${wanted}`);
}

/** Longer texts are no names and no messages. Characters. */
const LONGEST_TEXT = 64 * 1024;

export const text: Shape<string> = (value, place) =>
  typeof value === 'string' && value.length <= LONGEST_TEXT
    ? value
    : refuse(place, 'a text of bounded length');

export const flag: Shape<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : refuse(place, 'true or false');

/** A whole number from 0 on. */
export const count: Shape<number> = (value, place) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(place, 'a whole number');

export const number: Shape<number> = (value, place) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(place, 'a number');

export const bigInt: Shape<bigint> = (value, place) =>
  typeof value === 'bigint' ? value : refuse(place, 'a whole number');

export const bytes: Shape<Buffer> = (value, place) =>
  Buffer.isBuffer(value) ? value : refuse(place, 'bytes');

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value, place) =>
    words.includes(value as T) ? (value as T) : refuse(place, `one of ${words.join(', ')}`);
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, place) => (value === undefined ? undefined : shape(value, place));
}

export function list<T>(shape: Shape<T>, most: number): Shape<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > most)
      return refuse(place, `a list of at most ${most}`);
    return value.map((one, index) => shape(one, `${place}/${index}`));
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Optional<F extends Fields> = {
  [K in keyof F]: undefined extends Shaped<F[K]> ? K : never;
}[keyof F];
type FieldsOf<F extends Fields> = {
  readonly [K in Exclude<keyof F, Optional<F>>]: Shaped<F[K]>;
} & { readonly [K in Optional<F>]?: Exclude<Shaped<F[K]>, undefined> };

/** An object with these fields and no others. */
export function fields<F extends Fields>(shapes: F): Shape<FieldsOf<F>> {
  return (value, place) => {
    const given = plainObject(value, place);
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(shapes, name));
    if (unknown !== undefined) return refuse(place, `without '${unknown.slice(0, 64)}'`);
    const copy: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const part = shape(Object.hasOwn(given, name) ? given[name] : undefined, `${place}/${name}`);
      if (part !== undefined) copy[name] = part;
    }
    return copy as FieldsOf<F>;
  };
}

/** Names of anybody's choice, each with a value of one form. */
export function record<T>(shape: Shape<T>, most: number): Shape<Readonly<Record<string, T>>> {
  return (value, place) => {
    const entries = Object.entries(plainObject(value, place));
    if (entries.length > most) return refuse(place, `an object of at most ${most}`);
    return Object.fromEntries(entries.map(([name, part]) => [name, shape(part, `${place}/*`)]));
  };
}

/** By the word at `tag`, the form of the whole. */
export function tagged<T>(tag: string, shapes: Readonly<Record<string, Shape<T>>>): Shape<T> {
  return (value, place) => {
    const word = plainObject(value, place)[tag];
    const known = typeof word === 'string' && Object.hasOwn(shapes, word);
    return known ? shapes[word]!(value, place) : refuse(`${place}/${tag}`, 'a known word');
  };
}

/** Plain JSON, as it is; the wire has bounded it already. */
export const anything: Shape<unknown> = (value) => value;

/** @returns the list with each item in its form, as the arguments of a call */
export function tuple<T extends readonly unknown[]>(
  ...shapes: { readonly [K in keyof T]: Shape<T[K]> }
): Shape<T> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > shapes.length)
      return refuse(place, `at most ${shapes.length} values`);
    return shapes.map((shape, index) => shape(value[index], `${place}/${index}`)) as never;
  };
}

function plainObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  const isPlain =
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? (value as Readonly<Record<string, unknown>>) : refuse(place, 'an object');
}
