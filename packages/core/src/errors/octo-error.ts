import type { ErrorCode } from './catalogue.ts';

/**
 * What the host itself finds wrong. The code is one of the catalogue (docs/errors.md); the message says what, where and
 * what to do, in one line, without a secret.
 */
export class OctoError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OctoError';
    this.code = code;
  }
}
