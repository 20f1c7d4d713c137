import { PluginError, type Clock } from '@octo/plugin-api';

/**
 * Runs `operation` for at most `ms` milliseconds. The returned promise settles at the deadline even when the
 * operation ignores its signal.
 * @throws PluginError `network` with code `TIMEOUT` at the deadline; the outer signal's reason
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  clock: Clock,
  outer: AbortSignal,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const late = new AbortController();
  const done = new AbortController();
  const signal = AbortSignal.any([outer, late.signal]);
  const running = operation(signal);
  const watching = clock.sleep(ms, AbortSignal.any([outer, done.signal])).then(() => {
    const error = new PluginError('network', `${what} did not answer within ${ms} ms`, {
      code: 'TIMEOUT',
    });
    late.abort(error);
    throw error;
  });
  try {
    return await Promise.race([running, watching]);
  } finally {
    done.abort();
    running.catch(() => {});
    watching.catch(() => {});
  }
}
