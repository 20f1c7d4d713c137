import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@octo/plugin-api';
import { describeError } from '../observe/describe-error.ts';
import type { WorkerStatus } from '../workers/worker-status.ts';

const NOTE = 'workers.json';

/** How the workers of this host are, for the command `plugins`: kept up to date until it is disposed. */
export class WorkersNote implements AsyncDisposable {
  readonly #path: string;
  readonly #logger: Logger;
  #latest: readonly WorkerStatus[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(stateFolder: string, logger: Logger) {
    this.#path = join(stateFolder, NOTE);
    this.#logger = logger;
  }

  /** Notes the latest; what came meanwhile and is not the latest any more is never written. Never rejects. */
  update(workers: readonly WorkerStatus[]): void {
    this.#latest = workers;
    if (!this.#isClosed) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    for (let written: unknown; written !== this.#latest;) {
      written = this.#latest;
      await this.#put({ version: 1, pid: process.pid, workers: this.#latest });
    }
    this.#writing = undefined;
  }

  async #put(note: Note): Promise<void> {
    try {
      await writeFile(`${this.#path}.${process.pid}`, `${JSON.stringify(note)}\n`, { mode: 0o600 });
      await rename(`${this.#path}.${process.pid}`, this.#path);
    } catch (error) {
      const fields = { file: this.#path, reason: describeError(error) };
      this.#logger.warn(fields, 'the state of the workers was not noted');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await rm(this.#path, { force: true });
  }
}

interface Note {
  readonly version: 1;
  readonly pid: number;
  readonly workers: readonly WorkerStatus[];
}

/** What was noted in a state folder, by whoever runs there or was killed there; nothing when there is no note. */
export async function readWorkers(stateFolder: string): Promise<readonly WorkerStatus[]> {
  try {
    const note = JSON.parse(await readFile(join(stateFolder, NOTE), 'utf8')) as Note;
    return note.version === 1 ? note.workers : [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
