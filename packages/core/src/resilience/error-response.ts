import { isPluginError, type PluginErrorType } from '@octo/plugin-api';

/**
 * What each type of error means, in one table.
 *
 * - `retry` the same call may succeed shortly.
 * - `park` the delivery keeps all it has and waits for somebody or something outside.
 * - `unreachable` the other side could not be reached at all (exit code 3).
 * - `breaker` it counts for the circuit breaker: asking again soon would be of no use to anybody. What only an operator can
 *   mend never does.
 */
interface ErrorResponse {
  readonly retry: boolean;
  readonly park: boolean;
  readonly unreachable: boolean;
  readonly breaker: boolean;
}

const responses: Readonly<Record<PluginErrorType, ErrorResponse>> = {
  auth: { retry: false, park: true, unreachable: true, breaker: false },
  validation: { retry: false, park: true, unreachable: false, breaker: false },
  not_found: { retry: false, park: true, unreachable: false, breaker: false },
  rate_limit: { retry: true, park: true, unreachable: true, breaker: true },
  network: { retry: true, park: true, unreachable: true, breaker: true },
  provider_down: { retry: true, park: true, unreachable: true, breaker: true },
  integrity: { retry: false, park: false, unreachable: false, breaker: false },
};

const unknownError: ErrorResponse = {
  retry: false,
  park: true,
  unreachable: false,
  breaker: false,
};

/** The response to `error`; what is not a PluginError is a defect and is never retried. */
export function responseTo(error: unknown): ErrorResponse {
  if (!isPluginError(error)) return unknownError;
  const response = responses[error.type];
  return isOwnDisk(error.cause) ? { ...response, unreachable: false, breaker: false } : response;
}

const DISK_ERRNOS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM']);

/** A disk or a right of this machine is in the way: nobody is out of reach. Sockets know some of these errnos, too. */
function isOwnDisk(cause: unknown): boolean {
  const { code, syscall } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return syscall !== undefined && syscall !== 'connect' && DISK_ERRNOS.has(code ?? '');
}
