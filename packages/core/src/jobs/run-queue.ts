import type { StepTotal } from '../pipeline/step-watch.ts';
import type { RunFile, RunProgress, RunRecord, Runs, RunTotals } from './runs.ts';

/**
 * Runs as the hosts that work them off see them. Whatever names a {@link Held} run is fenced: it applies only while the
 * run is RUNNING with that attempt, so a host that was paused and wakes up changes nothing. All times are the database's.
 * There is one in PostgreSQL, and one in memory for tests; one suite holds both.
 */
export interface RunQueue extends Runs, AsyncDisposable {
  /** This host begins. What it held when its process ended is given back, and what the queue lost is put in again. */
  arrive(): Promise<void>;
  /** Says that this host lives and extends the leases of what it holds; gives back what others held and let lapse. */
  beat(held: readonly Held[]): Promise<Beat>;
  /**
   * The next queued run of the pipeline, now RUNNING with a higher attempt; `undefined` when there is none now, or when
   * `most` runs of the pipeline go on already, on whichever host.
   */
  take(pipeline: string, most: number): Promise<TakenRun | undefined>;
  /** What happened in runs, for those who follow them. Nothing of those that are fenced out. */
  note(notes: ReadonlyMap<Held, RunNotes>): Promise<void>;
  /**
   * The end of an attempt. A run that somebody wished to cancel does not go back into the queue, nor does one that was
   * the death of too many processes.
   * @returns the record; `undefined` when fenced out
   */
  end(held: Held, end: RunEnd): Promise<RunRecord | undefined>;
  /** How far a schedule has come; what is not known yet, or has another text, begins at `now`. */
  mark(schedule: ScheduleBegin): Promise<ScheduleMark>;
  /** Turns due times into runs: each once, whichever host comes first. */
  due(times: DueTimes): Promise<DueAnswer>;
  /** Deletes runs that ended longer ago. Milliseconds. @returns how many */
  forget(olderThanMs: number): Promise<number>;
  /** Is told at once, in most cases, when a pipeline has got work or a run is to be cancelled; `beat` tells it later. */
  onCall(listener: (call: Call) => void): Disposable;
}

export type Held = Pick<RunRecord, 'id' | 'attempt'>;

export interface TakenRun extends RunRecord {
  /** Attempts that failed. */
  readonly failures: number;
  /** Processes that died of it. */
  readonly deaths: number;
}

export interface Beat {
  /** Ids of held runs that are another's now, or have ended. */
  readonly lost: ReadonlySet<string>;
  /** Ids of held runs that are to stop, with who wants it. */
  readonly cancelled: ReadonlyMap<string, string>;
  /** Pipelines with runs that may begin now. */
  readonly waiting: readonly string[];
}

export interface RunNotes {
  readonly progress?: RunProgress;
  readonly news: readonly {
    readonly event: string;
    readonly path?: string;
    readonly reason?: string;
  }[];
  /** The last word about a path counts. */
  readonly files: readonly RunFile[];
}

/** What the last attempt took; see {@link RunRecord}. */
export interface Taken {
  readonly timings: Readonly<Record<string, number>>;
  readonly steps?: readonly StepTotal[];
}

export type RunEnd = Taken &
  (
    | { readonly state: 'SUCCEEDED'; readonly totals: RunTotals }
    | { readonly state: 'FAILED'; readonly error: RunFailure; readonly totals?: RunTotals }
    | { readonly state: 'CANCELLED'; readonly by: string }
    /** Tried again, not before so many milliseconds from now. `died`: a process ended because of it. */
    | {
        readonly state: 'QUEUED';
        readonly afterMs: number;
        readonly error?: RunFailure;
        readonly totals?: RunTotals;
        readonly died: boolean;
        /** It did not really begin: this is no failure. */
        readonly putOff?: boolean;
      }
  );
type RunFailure = NonNullable<RunRecord['error']>;

export interface ScheduleBegin {
  readonly pipeline: string;
  readonly text: string;
  /** Whether it begins with a run. */
  readonly atOnce: boolean;
  /** The host begins, too: a schedule that no living host keeps begins anew when it begins with a run. */
  readonly restart: boolean;
  readonly now: number;
}

/** Milliseconds since the Unix epoch. */
export interface ScheduleMark {
  /** Where periods are counted from. */
  readonly anchor: number;
  /** Times up to here have been dealt with. */
  readonly last: number;
}

export interface DueTimes {
  readonly pipeline: string;
  readonly text: string;
  /** Ascending. The last one is what is dealt with afterwards. */
  readonly times: readonly number[];
  /** Which of those that nobody has dealt with become runs. */
  readonly choose: (times: readonly number[]) => readonly DueRun[];
}

export interface DueRun {
  readonly at: number;
  readonly trigger: 'schedule' | 'catch-up';
}

/** `skipped`: a scheduled run of the pipeline waits or goes on still. `known`: another host was faster. */
export type DueAnswer = 'requested' | 'skipped' | 'known' | 'none';

export type Call =
  | { readonly work: string }
  /** The id of a run. */
  | { readonly cancel: string };

/** A run that was the death of so many processes is set aside. */
export const MOST_DEATHS = 3;
/** A host that says nothing for so long has lost what it held. */
export const LEASE_MS = 10_000;
