import type { Clock, ConfigSchema, Decoding, Inspection, Tabulation } from '@octo/plugin-api';

/**
 * One stage of a pipeline's way: it turns a stream into other streams and proves what it can about them.
 *
 * Nothing that flows here is trusted yet. A step may hand on bytes before it has proved them, because they only reach
 * staged uploads; but its generator must not end without error unless everything it checks has held.
 */
export interface Step {
  readonly name: string;
  /** The name of a content after this step, from the name alone: `a.csv.gz` → `a.csv`. Known before any byte is read. */
  rename(name: string): string;
  /** Whether a file of this name passes the step only when nothing of it is missing or changed. */
  provesIntegrity(name: string): boolean;
  /**
   * Yields the contents that come out of `content`, one (`decrypt`, `decompress`, `decode`, `verify`) or several
   * (`unpack`, `normalise`).
   * The consumer reads each one's bytes to the end before it asks for the next; it may `break` at any time.
   * @throws PluginError `integrity` for what is wrong with the file, from here or from the iteration of the bytes;
   *   `auth` for a key that is missing
   */
  run(content: Content, context: StepContext): AsyncIterable<Content>;
}

/** A named stream of bytes. */
export interface Content {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Set on the members of an archive: the path inside it, validated, slash-separated. */
  readonly member?: string;
}

/** What a step needs to know about the delivery that it works for. */
export interface StepContext {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A private folder (mode 0700) for what needs random access, on local disk; emptied after the delivery. */
  readonly spoolFolder: string;
  /** The provider's check of this file's plain content, when it has one. */
  inspect(): Inspection | undefined;
  /** How the provider opens its vendor's envelope of this file, when there is one. */
  decode(): Decoding | undefined;
  /** The provider's reading of this file's plain content as a table, when it has one. */
  normalise(): Tabulation | undefined;
  /** For what a person should hear about although the file passes. */
  warn(message: string): void;
  /** For what the ledger should remember: row counts, totals, who signed. Plain JSON. */
  remember(facts: { readonly [name: string]: unknown }): void;
}

/** Bounds on what one file may become. Exceeding one is a PluginError `integrity` with code `LIMIT`. */
export interface Limits {
  /** Plain bytes that may come out of one file, all members together. */
  readonly maxBytes: number;
  /** Plain bytes for each byte that went in, counted from 1 MiB of output on. */
  readonly maxRatio: number;
  /** Members of an archive. */
  readonly maxMembers: number;
}

/** A kind of step, by its name in the manifest. */
export interface StepKind {
  readonly name: string;
  /** What the manifest may say: `"decrypt"` alone means `{}`. */
  readonly optionsSchema: ConfigSchema;
  /** Checks what the schema cannot and prepares keys. Options are validated, defaults applied. No network. */
  create(options: never): Promise<Step>;
}
