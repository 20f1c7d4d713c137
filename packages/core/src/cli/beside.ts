/** Something that is being opened while other things go on. */
export interface Beside<T> extends AsyncDisposable {
  /** What was opened; whoever disposes the whole disposes that, too. */
  readonly opened: Promise<T>;
}

/** Opens something beside what follows. Whoever leaves before it is open waits for it, and closes it. */
export function beside<T extends AsyncDisposable>(opened: Promise<T>): Beside<T> {
  // Told by whoever waits for it: an error of what comes before is the first to be told.
  opened.catch(() => {});
  return {
    opened,
    async [Symbol.asyncDispose]() {
      const open = await opened.catch(() => undefined);
      await open?.[Symbol.asyncDispose]();
    },
  };
}
