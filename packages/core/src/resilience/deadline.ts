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
  const inner = new AbortController();
  const done = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    inner.abort(reason);
    stopped.reject(reason);
  };
  const stopWithOuter = (): void => stop(outer.reason);
  outer.addEventListener('abort', stopWithOuter, { once: true });
  const late = (): void =>
    stop(new PluginError('network', `${what} did not answer within ${ms} ms`, { code: 'TIMEOUT' }));
  clock.sleep(ms, done.signal).then(late, () => {});
  stopped.promise.catch(() => {});
  try {
    const running = operation(inner.signal);
    running.catch(() => {});
    return await Promise.race([running, stopped.promise]);
  } finally {
    outer.removeEventListener('abort', stopWithOuter);
    done.abort(OVER);
  }
}

/** Without a reason of ours an abort makes an error, with a stack, that nobody looks at. */
const OVER = 'over';
