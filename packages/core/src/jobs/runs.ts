import type { DeliveryState } from '../ledger/delivery.ts';
import type { FileTimes, StepTotal } from '../pipeline/step-watch.ts';

/**
 * Runs as operators and programs ask for them, watch them and look back at them. A run is durable before
 * {@link Runs.request} resolves; every host that shares the database sees the same runs.
 */
export interface Runs {
  /**
   * Puts a run in the queue. The same `key` again answers the run that it made before.
   * @throws OctoError `OCTO_RUN_KEY_REUSED` when the key came with another request; `OCTO_DATABASE_*`
   */
  request(request: RunRequest): Promise<RunRecord>;
  find(id: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  list(filter: RunFilter): Promise<RunPage>;
  /** What became of each file that the run touched, oldest first. */
  files(id: string): Promise<readonly RunFile[]>;
  /**
   * A queued run will not begin; a running one is told to stop within two seconds and ends CANCELLED. One that has ended
   * stays as it is.
   * @returns the record after the wish was stored; `undefined` when there is no such run
   */
  cancel(id: string, by: string): Promise<RunRecord | undefined>;
  /** A new run with the same request; `undefined` when there is no such run. */
  retry(id: string, by: string): Promise<RunRecord | undefined>;
  /**
   * What happens to one run from now on, or from after `lastSeen`; ends when the run has ended or the signal is aborted.
   * Progress is thinned to some four events a second.
   */
  follow(id: string, lastSeen: number | undefined, signal: AbortSignal): AsyncIterable<RunNews>;
  /** How many runs wait and how many go on, by pipeline. */
  depth(): Promise<ReadonlyMap<string, { readonly queued: number; readonly running: number }>>;
}

export type RunState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'QUARANTINED';

export interface RunRequest {
  readonly pipeline: string;
  readonly trigger: 'api' | 'command' | 'schedule' | 'catch-up' | 'retry';
  /** Who asked: `key:…`, `client:…`, `operator`, `host`. */
  readonly by: string;
  /** Only files that the vendor changed at or after this time. Milliseconds since the Unix epoch. */
  readonly since?: number;
  /** Only files whose path matches; `*` matches anything. */
  readonly path?: string;
  /** Higher first; −100 to 100, default 0. */
  readonly priority?: number;
  /** The header `traceparent` that it came with: what the run's spans belong to. */
  readonly traceParent?: string;
  /** Makes the request safe to repeat. At most 255 characters. */
  readonly key?: string;
}

export interface RunRecord {
  /** Unguessable. */
  readonly id: string;
  /** The trace that it belongs to, in logs and spans: 32 hexadecimal digits. */
  readonly trace: string;
  readonly request: Omit<RunRequest, 'key'>;
  readonly state: RunState;
  /** How often it has begun: more than once after failures that are worth another try, or when a host died. */
  readonly attempt: number;
  /** Which host has it, or had it last. */
  readonly host?: string;
  /** Milliseconds since the Unix epoch, by the database's clock. */
  readonly requestedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Not before this time, for one that failed and is tried again. */
  readonly notBefore?: number;
  readonly cancelledBy?: string;
  readonly progress?: RunProgress;
  readonly totals?: RunTotals;
  /** Why it failed; redacted, safe to show. */
  readonly error?: { readonly code: string; readonly message: string };
  /** How long the parts of its last attempt took: connect, list, deliver, total. Milliseconds. */
  readonly timings?: Readonly<Record<string, number>>;
  /** Where the time of its files went, all of them together. Files go on side by side: the sum may exceed the total. */
  readonly steps?: readonly StepTotal[];
}

export interface RunProgress {
  readonly filesToDeliver: number;
  readonly filesDone: number;
  readonly bytesToRead: number;
  readonly bytesRead: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  readonly secondsLeft?: number;
}

export interface RunTotals {
  readonly discovered: number;
  readonly delivered: number;
  readonly bytes: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly failed: number;
  readonly pending: number;
}

export interface RunFile {
  /** The delivery's id in the ledger; absent for what never became one. */
  readonly delivery?: string;
  readonly path: string;
  readonly outcome: 'delivered' | 'duplicate' | 'quarantined' | 'failed' | 'pending';
  readonly state?: DeliveryState;
  readonly key?: string;
  readonly bytes?: number;
  readonly reason?: string;
  /** Missing for what was not tried. */
  readonly times?: FileTimes;
}

export interface RunFilter {
  readonly pipeline?: string;
  readonly states?: readonly RunState[];
  readonly trigger?: RunRequest['trigger'];
  /** Where the page before ended; opaque. */
  readonly cursor?: string;
  /** 1 to 500. */
  readonly limit: number;
}

export interface RunPage {
  readonly runs: readonly RunRecord[];
  /** Absent on the last page. */
  readonly next?: string;
}

export interface RunNews {
  /** Rises by one from news to news of the same run. */
  readonly sequence: number;
  readonly run: RunRecord;
  /** What happened: a run event's name, or `state`. */
  readonly event: string;
  readonly path?: string;
  readonly reason?: string;
}
