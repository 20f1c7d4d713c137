import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Private folders on local disk for what needs random access: made when somebody first asks, and gone with the run. What a
 * killed run leaves is only spool: no later run reads it.
 */
export class Spool implements AsyncDisposable {
  readonly #parent: string;
  #own: Promise<string> | undefined;

  /** @param parent an absolute path; made when it is missing */
  constructor(parent: string) {
    this.#parent = parent;
  }

  /** A new empty folder for one file, readable by its owner only. */
  async folder(): Promise<string> {
    this.#own ??= mkdir(this.#parent, { recursive: true, mode: 0o700 }).then(() =>
      mkdtemp(join(this.#parent, 'run-')),
    );
    return await mkdtemp(join(await this.#own, 'file-'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#own !== undefined) await rm(await this.#own, { recursive: true, force: true });
  }
}
