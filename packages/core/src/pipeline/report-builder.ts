import type { Delivered, Failed, RunEvent, RunReport } from './run-report.ts';

/** Gathers what a run does, and tells it on as it happens. */
export class ReportBuilder {
  readonly #pipeline: string;
  readonly #tell: (event: RunEvent) => void;
  #discovered = 0;
  readonly #delivered: Delivered[] = [];
  readonly #duplicates: { path: string; of: string }[] = [];
  readonly #quarantined: { path: string; reason: string }[] = [];
  readonly #failed: Failed[] = [];
  readonly #pending: { path: string; reason: string }[] = [];
  readonly #warnings: { path: string; message: string }[] = [];
  readonly #seen = new Set<string>();

  constructor(pipeline: string, tell: (event: RunEvent) => void) {
    this.#pipeline = pipeline;
    this.#tell = tell;
  }

  event(event: RunEvent): void {
    this.#tell(event);
  }

  /** Whether the report says something about this path already. */
  knows(path: string): boolean {
    return this.#seen.has(path);
  }

  /** Whether a file failed, so that the next run has to try it again. */
  get hasFailures(): boolean {
    return this.#failed.length > 0;
  }

  listed(files: number, bytes: number, toDeliver: number): void {
    this.#discovered = files;
    this.#tell({ event: 'listed', files, bytes, toDeliver });
  }

  delivered(delivered: Delivered, delivery: string): void {
    this.#seen.add(delivered.path);
    this.#delivered.push(delivered);
    const { path, key, bytes } = delivered;
    this.#tell({ event: 'delivered', path, key, bytes, delivery });
  }

  duplicate(path: string, of: string, delivery: string): void {
    this.#seen.add(path);
    this.#duplicates.push({ path, of });
    this.#tell({ event: 'duplicate', path, of, delivery });
  }

  quarantined(path: string, reason: string, delivery: string): void {
    this.#seen.add(path);
    this.#quarantined.push({ path, reason });
    this.#tell({ event: 'quarantined', path, reason, delivery });
  }

  /** @param delivery its id in the ledger, unless it never got there */
  failed(path: string, error: string, unreachable: boolean, delivery?: string): void {
    this.#seen.add(path);
    this.#failed.push({ path, error, unreachable });
    this.#tell({ event: 'failed', path, error, ...(delivery !== undefined && { delivery }) });
  }

  pending(path: string, reason: string): void {
    this.#seen.add(path);
    this.#pending.push({ path, reason });
  }

  /** What several files say together: each of them may be the occasion, and it is told once. */
  finding(path: string, message: string): void {
    if (this.#warnings.every((warning) => warning.message !== message)) this.warning(path, message);
  }

  warning(path: string, message: string): void {
    this.#warnings.push({ path, message });
    this.#tell({ event: 'warning', path, message });
  }

  finish(): RunReport {
    return {
      pipeline: this.#pipeline,
      discovered: this.#discovered,
      delivered: this.#delivered,
      duplicates: this.#duplicates,
      quarantined: this.#quarantined,
      failed: this.#failed,
      pending: this.#pending,
      warnings: this.#warnings,
    };
  }
}
