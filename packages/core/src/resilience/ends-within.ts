import type { Clock } from '@octo/plugin-api';

/** True as soon as the promise is fulfilled; false after `ms` milliseconds. Rejects as the promise does. */
export async function endsWithin(
  ended: Promise<unknown>,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  const tooLate = new AbortController();
  const waiting = clock.sleep(ms, tooLate.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([ended.then(() => true), waiting]);
  } finally {
    tooLate.abort();
  }
}
