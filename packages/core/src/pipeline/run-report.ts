import type { PluginErrorType } from '@octo/plugin-api';
import type { FileTimes } from './step-watch.ts';

/** What one run of a pipeline did. `octo-host run --json` prints it as its last line. */
export interface RunReport {
  readonly pipeline: string;
  /** Files that the vendor offers, refused entries included. */
  readonly discovered: number;
  readonly delivered: readonly Delivered[];
  readonly duplicates: readonly { readonly path: string; readonly of: string }[];
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  readonly failed: readonly Failed[];
  /** Not complete yet, gone again, or in other hands: what a later run will look at. */
  readonly pending: readonly { readonly path: string; readonly reason: string }[];
  /** What people should hear about although the files were delivered. */
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
}

export interface Delivered {
  readonly path: string;
  readonly key: string;
  readonly bytes: number;
  /** Of the plain bytes, hex. */
  readonly sha256: string;
}

export interface Failed {
  readonly path: string;
  readonly error: string;
  /** Whether a vendor or sink could not be reached (exit code 3) rather than something else (1). */
  readonly unreachable: boolean;
}

/** What is known of a file that came to an end. */
export interface AboutFile {
  /** Its id in the ledger, unless it never got there. */
  readonly delivery?: string;
  /** Missing where nothing was tried. */
  readonly times?: FileTimes;
}

/** What happens while a run goes on: for progress on a terminal, and for logs. */
export type RunEvent =
  | { readonly event: 'connecting' }
  /** The vendor let us in. */
  | { readonly event: 'connected' }
  | {
      readonly event: 'listed';
      readonly files: number;
      readonly bytes: number;
      readonly toDeliver: number;
      /** How long it took until the vendor let us in, and to list. Milliseconds. */
      readonly connectMs?: number;
      readonly listMs?: number;
    }
  | { readonly event: 'started'; readonly path: string; readonly size: number }
  /** Raw bytes read of one file since the last such event; of two readings each counts half. */
  | { readonly event: 'read'; readonly path: string; readonly bytes: number }
  | (AboutFile & {
      readonly event: 'delivered';
      readonly path: string;
      readonly key: string;
      readonly bytes: number;
    })
  | (AboutFile & {
      readonly event: 'duplicate';
      readonly path: string;
      readonly of: string;
    })
  | (AboutFile & {
      readonly event: 'quarantined';
      readonly path: string;
      readonly reason: string;
    })
  | (AboutFile & {
      readonly event: 'failed';
      readonly path: string;
      readonly error: string;
    })
  | { readonly event: 'retrying'; readonly path: string; readonly reason: string }
  | {
      readonly event: 'waiting';
      readonly path: string;
      readonly reason: string;
      readonly forMs: number;
    }
  | { readonly event: 'warning'; readonly path: string; readonly message: string }
  /** A file failed because the sink could not be reached. */
  | {
      readonly event: 'sink-down';
      readonly type: PluginErrorType;
      readonly reason: string;
      readonly retryAfterMs?: number;
    };
