import { isPluginError, PluginError, type PluginErrorType } from '@octo/plugin-api';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { type Issue, OctoError } from '../errors/octo-error.ts';
import { FencedOut } from '../ledger/fenced-out.ts';
import { errorFields } from '../observe/describe-error.ts';
import { bigInt, count, fields, list, oneOf, optional, type Shape, tagged, text } from './shape.ts';

/** An error as it crosses between processes: what decides what becomes of it, and what people read. */
export type SentError =
  | {
      readonly kind: 'plugin';
      readonly type: PluginErrorType;
      readonly message: string;
      readonly code?: string;
      readonly retryAfterMs?: number;
      readonly cause?: SentError;
    }
  | {
      readonly kind: 'octo';
      readonly code: ErrorCode;
      readonly message: string;
      readonly issues: readonly Issue[];
      readonly cause?: SentError;
    }
  | { readonly kind: 'fenced'; readonly id: string; readonly attempt: bigint }
  | {
      readonly kind: 'other';
      readonly name: string;
      readonly message: string;
      readonly code?: string;
      readonly syscall?: string;
    };

const TYPES = [
  'auth',
  'validation',
  'not_found',
  'rate_limit',
  'network',
  'provider_down',
  'integrity',
] as const satisfies readonly PluginErrorType[];

/** The type of a plugin's error. */
export const pluginErrorType = oneOf(...TYPES);

const errorCode = oneOf(...(Object.keys(errorCatalogue) as ErrorCode[]));
const issue = fields({
  code: errorCode,
  message: text,
  pointer: optional(text),
  where: optional(text),
});

const inner: Shape<SentError> = (value, place) => sentError(value, place);

/** What may stand where an error is expected. */
export const sentError: Shape<SentError> = tagged<SentError>('kind', {
  plugin: fields({
    kind: oneOf('plugin'),
    type: pluginErrorType,
    message: text,
    code: optional(text),
    retryAfterMs: optional(count),
    cause: optional(inner),
  }),
  octo: fields({
    kind: oneOf('octo'),
    code: errorCode,
    message: text,
    issues: list(issue, 10_000),
    cause: optional(inner),
  }),
  fenced: fields({ kind: oneOf('fenced'), id: text, attempt: bigInt }),
  other: fields({
    kind: oneOf('other'),
    name: text,
    message: text,
    code: optional(text),
    syscall: optional(text),
  }),
});

const MOST_CAUSES = 3;

/** The parts of an error that are sent. Never throws, whatever was thrown. */
export function sendError(error: unknown, causes = MOST_CAUSES): SentError {
  const { name, message, code, type } = errorFields(error, 1);
  const cause =
    causes > 0 && error instanceof Error && error.cause !== undefined
      ? { cause: sendError(error.cause, causes - 1) }
      : {};
  const word = code === undefined ? {} : { code };
  if (error instanceof FencedOut)
    return { kind: 'fenced', id: error.delivery, attempt: error.attempt };
  if (error instanceof OctoError)
    return { kind: 'octo', code: error.code, message, issues: error.issues, ...cause };
  if (isPluginError(error) && TYPES.includes(type as PluginErrorType)) {
    const { retryAfterMs } = error;
    const isPause =
      retryAfterMs !== undefined && Number.isSafeInteger(retryAfterMs) && retryAfterMs >= 0;
    const pause = isPause ? { retryAfterMs } : {};
    return { kind: 'plugin', type: type as PluginErrorType, message, ...word, ...pause, ...cause };
  }
  const { syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return { kind: 'other', name, message, ...word, ...(typeof syscall === 'string' && { syscall }) };
}

/** The error again, as one of this process. */
export function receivedError(sent: SentError): Error {
  if (sent.kind === 'fenced') return new FencedOut(sent.id, sent.attempt);
  if (sent.kind === 'other') {
    const { name, message, code, syscall } = sent;
    const error = new Error(message);
    return Object.assign(error, { name }, code && { code }, syscall && { syscall });
  }
  const cause = sent.cause === undefined ? {} : { cause: receivedError(sent.cause) };
  if (sent.kind === 'octo')
    return new OctoError(sent.code, sent.message, { ...cause, issues: sent.issues });
  const { type, message, code, retryAfterMs } = sent;
  return new PluginError(type, message, {
    ...cause,
    ...(code !== undefined && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
