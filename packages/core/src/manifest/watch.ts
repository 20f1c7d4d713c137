import { basename, dirname } from 'node:path';
import type { Clock, Logger } from '@octo/plugin-api';
import { watch, type FSWatcher } from 'chokidar';
import { describeError } from '../observe/describe-error.ts';

export interface WatchOptions {
  /** The manifest's absolute path. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Compares the file with what is known, and acts. Never rejects.
   * @returns after how many milliseconds to look again at the latest; `undefined` for the usual time
   */
  readonly look: () => Promise<number | undefined>;
}

/** An editor, or a tool that copies, makes several events of one change. */
const QUIET_MS = 200;
/** Somebody who writes without a pause is looked at all the same. */
const MOST_HINTS = 10;
/** Network file systems tell nothing, watches go blind: the timer alone would do. */
const LOOK_EVERY_MS = 10_000;

/**
 * Looks at the manifest as soon as it is watched, whenever the file system hints at a change of it or of its folder, and
 * every ten seconds anyway. One look at a time, until the watch is disposed.
 */
export function watchManifest(options: WatchOptions): AsyncDisposable {
  return new ManifestWatch(options);
}

class ManifestWatch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #hints: FSWatcher;
  readonly #loop: Promise<void>;
  #hint = new AbortController();
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#hints = this.#watchFiles();
    this.#loop = this.#look();
  }

  #watchFiles(): FSWatcher {
    const { file, logger } = this.#options;
    const folder = dirname(file);
    // A folder may hold anything, also the state of this host. `..data` is the link that Kubernetes swaps.
    const beside = [basename(file), '..data'];
    const ignored = (path: string) =>
      path !== folder && !(dirname(path) === folder && beside.includes(basename(path)));
    const hints = watch([file, folder], { ignored, ignoreInitial: true, depth: 0 });
    hints.on('all', () => this.#hint.abort());
    // What happened before nobody could tell.
    hints.once('ready', () => this.#hint.abort());
    hints.once('error', (error) => {
      hints.on('error', () => {});
      const fields = { reason: describeError(error) };
      logger.warn(fields, 'changes of the manifest are not told; it is looked at every 10 s');
    });
    return hints;
  }

  async #look(): Promise<void> {
    let withinMs = LOOK_EVERY_MS;
    while (!this.#closed) {
      if (await this.#hintWithin(withinMs)) await this.#quiet();
      if (this.#isClosed()) return;
      withinMs = (await this.#options.look()) ?? LOOK_EVERY_MS;
    }
  }

  /** Waits until the last of several hints has come. */
  async #quiet(): Promise<void> {
    for (let hints = 0; hints < MOST_HINTS; hints++)
      if (!(await this.#hintWithin(QUIET_MS))) return;
  }

  async #hintWithin(ms: number): Promise<boolean> {
    const hint = this.#hint;
    try {
      await this.#options.clock.sleep(ms, hint.signal);
    } catch (error) {
      if (!hint.signal.aborted) throw error;
    }
    if (!this.#closed) this.#hint = hint.signal.aborted ? new AbortController() : hint;
    return hint.signal.aborted;
  }

  /** A call, because the compiler does not know that waiting changes the state. */
  #isClosed(): boolean {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#hint.abort();
    await this.#hints.close();
    await this.#loop;
  }
}
