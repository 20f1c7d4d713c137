/**
 * What went wrong, in the host's terms. The host decides by this word alone whether to try again, to open a
 * circuit breaker, or to set a file aside.
 *
 * - `auth` credentials refused, host key wrong, permission missing. Never retried blindly.
 * - `validation` the request or configuration is wrong; the same again cannot succeed.
 * - `not_found` the named thing is not there (any more).
 * - `rate_limit` asked to slow down; `retryAfterMs` when the vendor says how long.
 * - `network` connection, DNS, TLS, timeout: whether the request was applied is unknown.
 * - `provider_down` the other side answered that it is broken (5xx, disk full).
 * - `integrity` bytes that must agree do not. Never retried blindly.
 */
export type PluginErrorType =
  'auth' | 'validation' | 'not_found' | 'rate_limit' | 'network' | 'provider_down' | 'integrity';

export interface PluginErrorOptions {
  readonly cause?: unknown;
  /** How long the other side asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  /** A fixed upper-case word for programs, such as `HOST_KEY_CHANGED`. */
  readonly code?: string;
}

/**
 * The one error class that crosses the boundary between plugin and host. The message says what, which one, and
 * what to do; it never holds a secret or a file's content. Recognise it with {@link isPluginError}, not `instanceof`:
 * a second copy of this package may be in the tree.
 */
export class PluginError extends Error {
  readonly $octo = '@octo/plugin-error';
  readonly type: PluginErrorType;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(type: PluginErrorType, message: string, options: PluginErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PluginError';
    this.type = type;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether `error` is a {@link PluginError}, of this or any other copy of the package. */
export function isPluginError(error: unknown): error is PluginError {
  return (
    error instanceof Error && (error as { readonly $octo?: unknown }).$octo === '@octo/plugin-error'
  );
}
