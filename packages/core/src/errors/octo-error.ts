import type { ErrorCode } from './catalogue.ts';

/** One of several problems that were found together. */
export interface Issue {
  readonly code: ErrorCode;
  /** What, which one, where, and what to do, in one line. */
  readonly message: string;
  /** JSON pointer into the manifest, such as `/plugins/lake/config/bucket`. */
  readonly pointer?: string;
  /** Where that stands, such as `plugins.json:12:5`. */
  readonly where?: string;
}

interface OctoErrorOptions {
  readonly cause?: unknown;
  /** Everything that was found; the error itself is the first of it. */
  readonly issues?: readonly Issue[];
  /** The one instance that it is about. */
  readonly instance?: string;
}

/**
 * What the host itself finds wrong. The code is one of the catalogue (docs/errors.md); the message says what, where and
 * what to do, in one line, without a secret.
 */
export class OctoError extends Error {
  readonly code: ErrorCode;
  /** All problems that were found together, the first one included. Never empty. */
  readonly issues: readonly Issue[];
  readonly instance: string | undefined;

  constructor(code: ErrorCode, message: string, options: OctoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OctoError';
    this.code = code;
    this.instance = options.instance;
    this.issues = options.issues ?? [{ code, message }];
  }
}

/** One error for several issues: the first, and how many more there are. There must be at least one. */
export function errorOfIssues(issues: readonly Issue[]): OctoError {
  const [first, ...more] = issues;
  if (first === undefined) throw new TypeError('no issue, no error');
  const count = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return new OctoError(first.code, `${first.message}${count}`, { issues });
}
