import { escapeText } from './escape-text.ts';

/**
 * What an error says, in one printable line, whatever was thrown: not an Error, a proxy, an object whose getters throw.
 * Only name, code and message are looked at; other properties may hold anything.
 */
export function describeError(error: unknown): string {
  const { name, code, message } = errorFields(error);
  if (message === '') return code ?? name;
  return name === 'Error' || name === 'PluginError' || name === 'OctoError'
    ? message
    : `${name}: ${message}`;
}

export interface ErrorFields {
  readonly name: string;
  readonly code?: string;
  readonly type?: string;
  readonly message: string;
  readonly cause?: ErrorFields;
}

/** The parts of an error that may be shown, and those of its causes, three levels deep. Never throws. */
export function errorFields(error: unknown, levels = 3): ErrorFields {
  if (typeof error !== 'object' || error === null) {
    return {
      name: 'Error',
      message: typeof error === 'string' ? shown(error) : `a thrown ${typeof error}`,
    };
  }
  const code = textIn(error, 'code');
  const type = textIn(error, 'type');
  const cause = levels > 1 ? valueIn(error, 'cause') : undefined;
  return {
    name: textIn(error, 'name') ?? 'Error',
    ...(code === undefined ? {} : { code }),
    ...(type === undefined ? {} : { type }),
    message: textIn(error, 'message') ?? 'an object that is no error was thrown',
    ...(cause === undefined || cause === null ? {} : { cause: errorFields(cause, levels - 1) }),
  };
}

/** Longer texts are somebody's data, not a message. */
const LONGEST = 2000;

function shown(text: string): string {
  return escapeText(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

function textIn(error: object, key: string): string | undefined {
  const value = valueIn(error, key);
  return typeof value === 'string' ? shown(value) : undefined;
}

function valueIn(error: object, key: string): unknown {
  try {
    return (error as Readonly<Record<string, unknown>>)[key];
  } catch {
    return undefined;
  }
}
