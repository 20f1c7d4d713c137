import { errorFields } from './describe-error.ts';
import { escapeText } from './escape-text.ts';

type Redact = (text: string) => string;
type Fields = Readonly<Record<string, unknown>>;

/**
 * A copy of a log line's fields that is safe to write: plain data, bounded in depth and size, secrets taken out, errors
 * reduced to what may be shown. Never throws, whatever a plugin logs.
 */
export function safeFields(fields: Fields, redact: Redact): Record<string, unknown> {
  const copy = safeValue(fields, redact, DEPTH);
  return isFields(copy) ? copy : { fields: copy };
}

const DEPTH = 5;
const MOST = 100;

function safeValue(value: unknown, redact: Redact, depth: number): unknown {
  try {
    return plain(value, redact, depth);
  } catch {
    return '[unreadable]';
  }
}

function plain(value: unknown, redact: Redact, depth: number): unknown {
  if (typeof value === 'string') return escapeText(redact(value));
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return safeValue({ ...errorFields(value) }, redact, DEPTH);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[date]' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth === 0) return '[deeper]';
  if (Array.isArray(value)) {
    return value.slice(0, MOST).map((part) => safeValue(part, redact, depth - 1));
  }
  if (value instanceof Map || value instanceof Set) {
    return safeValue([...value].slice(0, MOST), redact, depth);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value).slice(0, MOST)) {
    copy[escapeText(redact(key))] = safeProperty(value, key, redact, depth - 1);
  }
  return copy;
}

function safeProperty(value: object, key: string, redact: Redact, depth: number): unknown {
  try {
    return safeValue((value as Fields)[key], redact, depth);
  } catch {
    return '[unreadable]';
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
