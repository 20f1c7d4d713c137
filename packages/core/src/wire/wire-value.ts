/**
 * Values as they cross between two processes of Octo: JSON, with a mark for what JSON does not have. What comes from a
 * worker was written by code that nobody here has read: it is bounded in depth, and no name in it can reach a prototype.
 */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The other side wrote what this side does not take. The worker that did it is ended. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const MARK = '$';
/** A manifest may be nested 64 deep, and lies inside a message. */
const MAX_DEPTH = 96;

/** @throws TypeError for functions, symbols, numbers that are none, and what is nested without end */
export function toJson(value: unknown, depth = MAX_DEPTH): Json {
  if (depth === 0) throw new TypeError('a value is nested too deep to be sent');
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return numberToJson(value);
  if (typeof value === 'bigint') return { [MARK]: 'bigint', value: String(value) };
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} cannot be sent`);
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { [MARK]: 'bytes', value: bytes.toString('base64') };
  }
  if (value instanceof Date) return { [MARK]: 'date', value: value.getTime() };
  if (value instanceof Set)
    return { [MARK]: 'set', value: [...value].map((one) => toJson(one, depth - 1)) };
  if (value instanceof Map)
    return { [MARK]: 'map', value: [...value].map((one) => toJson(one, depth - 1)) };
  if (Array.isArray(value)) return value.map((one) => toJson(one ?? null, depth - 1));
  const fields = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([name, part]) => [name, toJson(part, depth - 1)] as const);
  const plain = Object.fromEntries(fields);
  return Object.hasOwn(plain, MARK) ? { [MARK]: 'object', value: plain } : plain;
}

function numberToJson(value: number): Json {
  return Number.isFinite(value) ? value : { [MARK]: 'number', value: String(value) };
}

/** @throws WireError when a mark is not one of ours, a name is `__proto__`, or it is nested without end */
export function fromJson(json: unknown, depth = MAX_DEPTH): unknown {
  if (depth === 0) throw new WireError('a value is nested too deep');
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((one) => fromJson(one, depth - 1));
  const fields = json as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(fields, MARK)) return marked(fields[MARK], fields['value'], depth);
  return plainObject(fields, depth);
}

function plainObject(fields: Readonly<Record<string, unknown>>, depth: number): object {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    if (name === '__proto__') throw new WireError(`a name is '__proto__'`);
    copy[name] = fromJson(fields[name], depth - 1);
  }
  return copy;
}

function marked(mark: unknown, value: unknown, depth: number): unknown {
  const text = typeof value === 'string' ? value : '';
  if (mark === 'bigint' && /^-?\d{1,40}$/.test(text)) return BigInt(text);
  if (mark === 'bytes' && typeof value === 'string') return Buffer.from(value, 'base64');
  if (mark === 'date' && typeof value === 'number') return new Date(value);
  if (mark === 'number') return Number(text);
  if (mark === 'set' && Array.isArray(value))
    return new Set(value.map((one) => fromJson(one, depth - 1)));
  if (mark === 'map' && Array.isArray(value)) return new Map(value.map((one) => pair(one, depth)));
  if (mark === 'object' && typeof value === 'object' && value !== null)
    return plainObject(value as Readonly<Record<string, unknown>>, depth);
  throw new WireError('a value has a mark that means nothing');
}

function pair(json: unknown, depth: number): [unknown, unknown] {
  if (!Array.isArray(json) || json.length !== 2) throw new WireError('a map has no pairs');
  return [fromJson(json[0], depth - 1), fromJson(json[1], depth - 1)];
}
