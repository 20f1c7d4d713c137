import type { Clock, Logger } from '@octo/plugin-api';
import type { RunNotes, RunQueue, TakenRun } from './run-queue.ts';
import type { RunRecorder } from './run-recorder.ts';

export interface NotebookOptions {
  readonly queue: Pick<RunQueue, 'note'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often what happened in runs is written down. */
const NOTE_MS = 250;

/**
 * Writes down what happens in the runs of a host: together, one write at a time, so that what it costs does not grow with
 * the number of runs and the order of things stays.
 */
export class Notebook {
  readonly #options: NotebookOptions;
  readonly #recorders = new Map<TakenRun, RunRecorder>();
  readonly #due = new Set<TakenRun>();
  /** The write that goes on, and the one after it that has not looked at its runs yet. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: NotebookOptions) {
    this.#options = options;
  }

  /** From now on what the recorder collects is written down. */
  open(run: TakenRun, recorder: RunRecorder): void {
    this.#recorders.set(run, recorder);
  }

  /** Resolves when all that the recorder has collected is written down; nothing is afterwards. */
  async close(run: TakenRun): Promise<void> {
    await this.#write([run]);
    this.#recorders.delete(run);
  }

  /** Writes down what comes until the signal is aborted; from then on only what is closed. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(NOTE_MS, signal).catch(() => undefined);
      if (this.#recorders.size > 0) await this.#write(this.#recorders.keys());
    }
  }

  /** Wishes that come during a write share the next one. */
  async #write(runs: Iterable<TakenRun>): Promise<void> {
    for (const run of runs) this.#due.add(run);
    this.#next ??= this.#last = this.#last.then(() => this.#writeDue());
    await this.#next;
  }

  async #writeDue(): Promise<void> {
    this.#next = undefined;
    const notes = new Map<TakenRun, RunNotes>();
    for (const run of this.#due) {
      const taken = this.#recorders.get(run)?.taken();
      if (taken !== undefined) notes.set(run, taken);
    }
    this.#due.clear();
    if (notes.size > 0) await this.#note(notes);
  }

  async #note(notes: ReadonlyMap<TakenRun, RunNotes>): Promise<void> {
    try {
      await this.#options.queue.note(notes);
    } catch (error) {
      const [run] = notes.keys();
      if (notes.size === 1) this.#tell(run!, error);
      // What is wrong with the notes of one must not be the loss of the others'.
      else await Promise.all([...notes].map((one) => this.#note(new Map([one]))));
    }
  }

  #tell({ id, trace, request }: TakenRun, error: unknown): void {
    const fields = { pipeline: request.pipeline, run: id, trace, err: error };
    this.#options.logger.warn(fields, 'what happened in a run could not be written down');
  }
}
