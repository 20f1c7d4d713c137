/**
 * The same work, one at a time: calls that come while it runs lead to one more run after it, however many they are.
 * Each call gets the outcome of a run that began after the call.
 */
export function coalesced<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<T> | undefined;
  return () => {
    waiting ??= last.then(() => {
      waiting = undefined;
      const run = work();
      last = run.catch(() => {});
      return run;
    });
    return waiting;
  };
}
