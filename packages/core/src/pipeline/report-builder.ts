import type { AboutFile, Delivered, Failed, RunEvent, RunReport } from './run-report.ts';

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
  #connect: { readonly connectMs?: number } = {};

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

  listed(seen: {
    readonly files: number;
    readonly bytes: number;
    readonly toDeliver: number;
    readonly listMs: number;
  }): void {
    this.#discovered = seen.files;
    this.#tell({ event: 'listed', ...seen, ...this.#connect });
  }

  /** How long it took until the vendor let us in. */
  connected(connectMs: number): void {
    this.#connect = { connectMs };
  }

  delivered(delivered: Delivered, about: AboutFile): void {
    this.#seen.add(delivered.path);
    this.#delivered.push(delivered);
    const { path, key, bytes } = delivered;
    this.#tell({ event: 'delivered', path, key, bytes, ...about });
  }

  duplicate(path: string, of: string, about: AboutFile): void {
    this.#seen.add(path);
    this.#duplicates.push({ path, of });
    this.#tell({ event: 'duplicate', path, of, ...about });
  }

  quarantined(path: string, reason: string, about: AboutFile): void {
    this.#seen.add(path);
    this.#quarantined.push({ path, reason });
    this.#tell({ event: 'quarantined', path, reason, ...about });
  }

  failed(path: string, error: string, unreachable: boolean, about: AboutFile = {}): void {
    this.#seen.add(path);
    this.#failed.push({ path, error, unreachable });
    this.#tell({ event: 'failed', path, error, ...about });
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
