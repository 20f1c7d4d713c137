import type { Clock } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { fingerprint, referencedFiles, touchedAt } from '../manifest/fingerprint.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { isEmptyPlan, type Plan } from '../manifest/plan.ts';
import type { SecretSource } from '../manifest/secret-source.ts';
import { coalesced } from './coalesced.ts';
import type { Host } from './host.ts';

/** What became of one look at the manifest. */
export type Reload =
  | { readonly outcome: 'unchanged'; readonly wasRefused: boolean }
  | { readonly outcome: 'applied'; readonly plan: Plan; readonly elapsedMs: number }
  /** What runs goes on as it was. `isNews` is false for what was told before. */
  | { readonly outcome: 'refused'; readonly error: unknown; readonly isNews: boolean };

export interface ReloadOptions {
  readonly host: Pick<Host, 'apply' | 'manifest'>;
  readonly read: () => Promise<Manifest>;
  /** What `read` takes secrets from: a change of its files is a change of the manifest. */
  readonly secrets?: Pick<SecretSource, 'files'>;
  /** Stores that change without a word: whether it is time to ask them again, by reading. */
  readonly stores?: { takeDue(): boolean };
  readonly clock: Clock;
  /** Is told every outcome, before the next look. */
  readonly tell: (reload: Reload) => void | Promise<void>;
  /** When it is aborted, nothing is applied any more. */
  readonly signal: AbortSignal;
}

interface Refusal {
  readonly print: string;
  readonly text: string;
  readonly tries: number;
  /** Of the monotonic clock. */
  readonly sinceMs: number;
  readonly dueMs: number;
  readonly isTold: boolean;
}

/** A file that is being written or swapped looks like a broken one for so long. */
const PATIENCE_MS = 2000;
/** The reason of a refusal may go away by itself: a package that is being installed, a vendor that is down. */
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 300_000;

/** The one way from a changed manifest to a changed host, whoever asks: watch, timer, signal or caller. */
export class Reloading {
  readonly #options: ReloadOptions;
  readonly #turn = coalesced(() => this.#once());
  #files: readonly string[];
  #seen: string | undefined;
  #refusal: Refusal | undefined;
  #isAsked = false;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#files = filesOf(options.host.manifest);
  }

  /** Reads the manifest in any case, and tells the outcome in any case. Never rejects. */
  reload(): Promise<Reload> {
    this.#isAsked = true;
    return this.#turn();
  }

  /**
   * Acts only when the contents have changed, or a refused manifest is due for another try. Never rejects.
   * @returns after how many milliseconds another look is worth it; `undefined` when nothing is to be expected
   */
  async look(): Promise<number | undefined> {
    await this.#turn();
    const refusal = this.#refusal;
    if (refusal === undefined || refusal.isTold) return undefined;
    return Math.max(1, refusal.dueMs - this.#options.clock.monotonic());
  }

  async #once(): Promise<Reload> {
    const isAsked = this.#isAsked;
    this.#isAsked = false;
    const touched = await touchedAt(this.#options.host.manifest.file);
    const files = [...this.#files, ...(this.#options.secrets?.files ?? [])];
    const print = `${await fingerprint(files)} ${touched}`;
    const { clock, stores } = this.#options;
    const isStale = stores?.takeDue() === true;
    const isDue = isStale || clock.monotonic() >= (this.#refusal?.dueMs ?? Infinity);
    if (!isAsked && !isDue && print === this.#seen)
      return { outcome: 'unchanged', wasRefused: false };
    const reload = await this.#outcome(print, isAsked);
    this.#seen = print;
    if (!this.#options.signal.aborted) await this.#options.tell(reload);
    return reload;
  }

  async #outcome(print: string, isAsked: boolean): Promise<Reload> {
    const { host, read, clock, signal } = this.#options;
    const began = clock.monotonic();
    try {
      const manifest = await read();
      this.#files = filesOf(manifest);
      const plan = await host.apply(manifest, signal);
      const wasRefused = this.#refusal?.isTold ?? false;
      this.#refusal = undefined;
      if (isEmptyPlan(plan)) return { outcome: 'unchanged', wasRefused };
      return { outcome: 'applied', plan, elapsedMs: clock.monotonic() - began };
    } catch (error) {
      return { outcome: 'refused', error, isNews: this.#refuse(error, print, isAsked) };
    }
  }

  /** Whether somebody should hear of it: once for each content, and not before a writer had time to finish. */
  #refuse(error: unknown, print: string, isAsked: boolean): boolean {
    const now = this.#options.clock.monotonic();
    const before = this.#refusal?.print === print ? this.#refusal : undefined;
    const text = error instanceof Error ? error.message : String(error);
    const sinceMs = before?.sinceMs ?? now;
    const mayBeWriting = isUnfinished(error) && now - sinceMs < PATIENCE_MS;
    const wasTold = before?.isTold === true && before.text === text;
    const isNews = isAsked || (!wasTold && !mayBeWriting);
    const tries = (before?.tries ?? 0) + 1;
    const pause = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LONGEST_RETRY_MS);
    const isTold = isNews || wasTold;
    const dueMs = isTold ? now + pause : sinceMs + PATIENCE_MS;
    this.#refusal = { print, text, tries, sinceMs, dueMs, isTold };
    return isNews;
  }
}

const UNFINISHED: readonly ErrorCode[] = [
  'OCTO_MANIFEST_NOT_FOUND',
  'OCTO_MANIFEST_UNREADABLE',
  'OCTO_MANIFEST_SYNTAX',
];

function isUnfinished(error: unknown): boolean {
  return error instanceof OctoError && UNFINISHED.includes(error.code);
}

function filesOf(manifest: Manifest): string[] {
  return [manifest.file, ...referencedFiles(manifest)];
}
