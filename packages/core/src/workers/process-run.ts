import type { RunOptions } from '../pipeline/run-pipeline.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { reportFrom, reportHead, type ReportPart } from '../wire/run-shapes.ts';
import type { Hands } from './hands.ts';
import type { LedgerGate } from './ledger-gate.ts';
import { unreported } from './unreported.ts';

export interface ProcessRunOptions {
  readonly options: RunOptions;
  readonly gate: LedgerGate;
  /** Of the process that it goes on in. */
  readonly hands: Hands;
  readonly signal: AbortSignal;
}

/** A run as far as it goes on in one process: what is heard of it there. */
export class ProcessRun {
  readonly options: RunOptions;
  readonly gate: LedgerGate;
  readonly hands: Hands;
  readonly signal: AbortSignal;
  readonly #parts: ReportPart[] = [];
  /** Ids of the deliveries whose end it has told. */
  readonly #told = new Set<string>();
  readonly #warnings: { readonly path: string; readonly message: string }[] = [];

  constructor({ options, gate, hands, signal }: ProcessRunOptions) {
    this.options = options;
    this.gate = gate;
    this.hands = hands;
    this.signal = signal;
  }

  hear(event: RunEvent): void {
    if ('delivery' in event && event.delivery !== undefined) this.#told.add(event.delivery);
    if (event.event === 'warning')
      this.#warnings.push({ path: event.path, message: event.message });
    this.options.onEvent?.(event);
  }

  add(part: ReportPart): void {
    this.#parts.push(part);
  }

  /** The report, once its process has answered. @param before of processes that died of the same run */
  report(answer: unknown, before: readonly ReportPart[]): RunReport {
    return reportFrom(reportHead(answer, 'run'), [...before, ...this.#parts]);
  }

  /** What it has done, when its process did not live to report it. */
  async done(): Promise<ReportPart> {
    const part = await unreported(this.options, this.gate.ended, this.#told);
    return { ...part, warnings: this.#warnings };
  }
}
