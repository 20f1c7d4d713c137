/** How patient a host is with its workers. */
export interface WorkerLimits {
  /** From the start of a process to its first word. Milliseconds, like all that end in Ms. */
  readonly startMs: number;
  /** To load and build one plugin. */
  readonly loadMs: number;
  /** Without a sign of life; it beats every second. */
  readonly silentMs: number;
  /** Between two looks at its signs of life and its memory. */
  readonly lookMs: number;
  /** For an aborted question until the process is ended. */
  readonly letGoMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly termMs: number;
  /** Kept warm after its last run. */
  readonly idleMs: number;
  /** So many processes that do nothing are kept warm at most. */
  readonly mostIdle: number;
  /** After so many deaths within `deathsWithinMs` a pipeline is quarantined. */
  readonly mostDeaths: number;
  readonly deathsWithinMs: number;
  /** Before the start after a death; doubled with each further one, up to a minute. */
  readonly backoffMs: number;
  /** Log lines in a second; further ones are counted and dropped. */
  readonly logLines: number;
  /** Bytes of messages in a second; then the host does not read until the next one. */
  readonly messageBytes: number;
  /** Memory of a process that only looks at plugins. Bytes. */
  readonly inspectionMemory: number;
}

export const WORKER_LIMITS: WorkerLimits = {
  startMs: 20_000,
  loadMs: 60_000,
  silentMs: 5000,
  lookMs: 250,
  letGoMs: 10_000,
  termMs: 2000,
  idleMs: 60_000,
  mostIdle: 8,
  mostDeaths: 5,
  deathsWithinMs: 600_000,
  backoffMs: 1000,
  logLines: 1000,
  messageBytes: 16 * 1024 * 1024,
  inspectionMemory: 512 * 1024 * 1024,
};
