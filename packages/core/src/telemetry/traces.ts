import type { RunEvent } from '../pipeline/run-report.ts';

/** Traces of runs: a span for each run, below it one for each file, below that one for each step. */
export interface Traces extends AsyncDisposable {
  /** A run begins. */
  run(about: TracedRun): RunTrace;
}

export interface TracedRun {
  readonly id: string;
  /** 32 hexadecimal digits. */
  readonly trace: string;
  /** The header `traceparent` of the request that asked for it. */
  readonly parent?: string | undefined;
  readonly pipeline: string;
  readonly trigger: string;
  readonly attempt: number;
}

export interface RunTrace {
  event(event: RunEvent): void;
  /** @param why what was in the way; missing when all went well */
  ended(state: string, why?: string): void;
}

/** Nobody asked for traces. */
export const noTraces: Traces = {
  run: () => ({ event: () => {}, ended: () => {} }),
  [Symbol.asyncDispose]: async () => {},
};
