import type { Issue } from '../errors/octo-error.ts';
import type { HostConfig } from './host-settings.ts';
import type { ManifestSource } from './manifest-source.ts';

/**
 * `plugins.json`, read, resolved and validated: what the host is to be. Defaults are applied, references resolved,
 * everything frozen.
 */
export interface Manifest {
  /** Absolute path of the file. */
  readonly file: string;
  /** Its folder: plugins are found and relative paths resolved from here. */
  readonly folder: string;
  readonly plugins: ReadonlyMap<string, InstanceConfig>;
  readonly pipelines: ReadonlyMap<string, PipelineConfig>;
  /** Whether a running host may lose most of its pipelines by it. Default false. */
  readonly allowRemovals: boolean;
  /** Who is told what happens, by name. */
  readonly webhooks?: ReadonlyMap<string, WebhookConfig>;
  /** The host itself, as the file says; see `hostSettings`. */
  readonly host?: HostConfig;
  /**
   * What waits for a secret whose store does not open, by pointer: `/plugins/<id>`, `/pipelines/<id>`,
   * `/host/notify/<name>`, `/host/<section>`; pipelines of such plugins, too. It counts as switched off, or is left out.
   */
  readonly held?: ReadonlyMap<string, Issue>;
  /** Its text, for what is said about it later: which line, and which values came from elsewhere. */
  readonly source: ManifestSource;
}

/** Somebody who is told over HTTP what happens. */
export interface WebhookConfig {
  readonly name: string;
  /** https, or http on this machine. May hold a secret of its own. */
  readonly url: string;
  /** What the messages are signed with. */
  readonly secret: string;
  readonly allow: Reach;
  readonly on: readonly NoticeKind[];
  /** Only of these; without it of all. */
  readonly pipelines?: readonly string[];
}

/** What can be told: a file was delivered or set aside, a run failed, nothing came for too long. */
export type NoticeKind = 'delivered' | 'quarantined' | 'failed' | 'late';

export interface InstanceConfig {
  readonly id: string;
  /** Package name, or a path that begins with `./`, `../` or `/`. */
  readonly use: string;
  /** Whether it is to live: the file says so, and it is not held. */
  readonly enabled: boolean;
  /** The plugin's own business; validated against its schema when the plugin is loaded. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly policy: Policy;
  readonly allow: Allowance;
  /** Which code `use` means right now: another word when another version lies there. Empty when nothing does. */
  readonly code: string;
}

/** Which addresses may be connected to although they are not public. */
export interface Reach {
  /** Names, addresses and networks, each with `:port` or without. */
  readonly hosts: readonly string[];
  /** Whether all of RFC 1918 and the like is open. */
  readonly privateNetworks: boolean;
}

/** What an instance's process may touch beside what it is given. Paths and names as written. */
export interface Allowance extends Reach {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Environment variables; a `*` at the end stands for any rest. */
  readonly env: readonly string[];
  readonly network: boolean;
  /**
   * Names, addresses and networks, each with `:port` or without: what of the public ones it may connect to; `*` is all of
   * them. Absent: all, unless another instance in the same process has a list.
   */
  readonly egress?: readonly string[];
}

/** How the host treats calls into one instance. */
export interface Policy {
  /** For connecting, listing, stat and the like; not for reading a file. Default 30,000. */
  readonly timeoutMs: number;
  /** Attempts at one operation whose failure is worth another try. Default 4. */
  readonly attempts: number;
  /** Of a store of secrets: after how long its values are asked for again. Default 300,000. */
  readonly refreshMs?: number;
  /** When it is left alone for a while; absent: never. */
  readonly breaker?: BreakerPolicy;
  /** How often the host and the plugin may ask it, over all hosts; absent: as often as they like. */
  readonly rate?: RatePolicy;
}

/** So many failures within `withinMs` open it for `openMs`, and twice as long each time after, up to `longestMs`. */
export interface BreakerPolicy {
  readonly failures: number;
  readonly withinMs: number;
  readonly openMs: number;
  readonly longestMs: number;
  /** So long a run that tries may take until the vendor lets it in. */
  readonly probeMs: number;
}

export interface RatePolicy {
  readonly requests: number;
  readonly perMs: number;
  /** So many may come at once after a pause. */
  readonly burst: number;
}

export interface PipelineConfig {
  readonly id: string;
  /** Whether it is to run: the file says so, and it is not held. */
  readonly enabled: boolean;
  /** Instance ids. */
  readonly from: string;
  readonly to: string;
  readonly steps: readonly StepConfig[];
  /** Template of the object's key. */
  readonly key: string;
  /** Cron with `timezone`, or a period; at most one of both. */
  readonly schedule: string | undefined;
  readonly timezone: string;
  readonly everyMs: number | undefined;
  /** Which of the times that were missed while no host ran are made up for. */
  readonly catchUp: 'none' | 'last' | 'all';
  /**
   * `concurrency`: runs of this pipeline at a time, over all hosts. `attempts`: at one run whose failure may pass, default 4.
   */
  readonly runs: { readonly concurrency: number; readonly attempts?: number };
  /** Webhooks are told when nothing was delivered for so long after a time of the schedule. */
  readonly lateAfterMs?: number;
  readonly duplicates: 'name' | 'pipeline' | 'off';
  readonly onReissue: 'version' | 'overwrite' | 'quarantine';
  readonly emptyFiles: 'quarantine' | 'deliver';
  /** Read twice and compare before committing; `auto` when nothing else proves that a file is complete. */
  readonly doubleRead: 'auto' | boolean;
  /** Look at the sink after a commit that it acknowledged: for sinks whose word alone is not enough. Default false. */
  readonly verifyCommit?: boolean;
  /** At least this long; the provider may ask for more. */
  readonly settleMs: number | undefined;
  readonly limits: {
    readonly maxBytes: number;
    readonly maxRatio: number;
    readonly maxMembers: number;
    /** For one file, from the first byte to the commit. */
    readonly maxTimeMs: number;
    /** Files in one listing. */
    readonly maxFiles: number;
    /** What the pipeline's worker may hold in memory, in bytes. */
    readonly maxMemory: number;
  };
  /** Files in flight at a time. Without it: four of any size, and small ones beside them. */
  readonly concurrency?: number;
}

export interface StepConfig {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}
