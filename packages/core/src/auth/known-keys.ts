import type { Clock, Logger } from '@octo/plugin-api';
import { describeError } from '../observe/describe-error.ts';
import { parseCredential, sameHash } from './credential.ts';
import { isAlive, type KeyRecord } from './key-record.ts';
import type { KeyStore, StoredKey } from './key-store.ts';

/** A key that another host revoked opens nothing here after so long, in milliseconds. */
const FRESH_MS = 2_000;
const NOTED_MS = 60_000;
const MOST = 10_000;

export interface KnownKeysOptions {
  readonly store: Pick<KeyStore, 'find' | 'touch' | 'hashOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells whose key it is, without asking the database for each request. */
export class KnownKeys {
  readonly #options: KnownKeysOptions;
  readonly #found = new Map<string, { readonly stored: StoredKey; readonly untilMs: number }>();
  readonly #noted = new Map<string, number>();

  constructor(options: KnownKeysOptions) {
    this.#options = options;
  }

  /** The key, if the text is one, of one that lives. What was wrong otherwise nobody learns, not even by the time it takes. */
  async proved(text: string): Promise<KeyRecord | undefined> {
    const credential = parseCredential(text);
    if (credential === undefined) return undefined;
    const { store, clock } = this.#options;
    const given = store.hashOf(credential);
    const cached = this.#cached(credential.id);
    // A wrong secret costs a question to the database, whether there is such an id or not.
    const stored =
      cached !== undefined && sameHash(given, cached.hash)
        ? cached
        : await this.#asked(credential.id);
    const isRight = sameHash(given, stored?.hash ?? NOBODY);
    if (stored === undefined || !isRight || !isAlive(stored.key, clock.now())) return undefined;
    this.#note(credential.id);
    return stored.key;
  }

  /** Whether the text is a key that was proved a moment ago: it is worth an answer even while others guess. */
  isRecent(text: string): boolean {
    const credential = parseCredential(text);
    const known = credential && this.#found.get(credential.id);
    if (credential === undefined || known === undefined) return false;
    return sameHash(this.#options.store.hashOf(credential), known.stored.hash);
  }

  /** The key of this id, if it lives: for a token that was given to it. */
  async living(id: string): Promise<KeyRecord | undefined> {
    const stored = this.#cached(id) ?? (await this.#asked(id));
    return stored !== undefined && isAlive(stored.key, this.#options.clock.now())
      ? stored.key
      : undefined;
  }

  #cached(id: string): StoredKey | undefined {
    const known = this.#found.get(id);
    if (known === undefined || this.#options.clock.monotonic() >= known.untilMs) return undefined;
    return known.stored;
  }

  async #asked(id: string): Promise<StoredKey | undefined> {
    const { store, clock } = this.#options;
    const stored = await store.find(id);
    this.#found.delete(id);
    if (stored === undefined) return undefined;
    if (this.#found.size >= MOST) this.#found.delete(this.#found.keys().next().value!);
    this.#found.set(id, { stored, untilMs: clock.monotonic() + FRESH_MS });
    return stored;
  }

  #note(id: string): void {
    const now = this.#options.clock.monotonic();
    if (now - (this.#noted.get(id) ?? -Infinity) < NOTED_MS) return;
    if (this.#noted.size >= MOST) this.#noted.clear();
    this.#noted.set(id, now);
    this.#options.store.touch(id).catch((error: unknown) => {
      const fields = { key: id, reason: describeError(error) };
      this.#options.logger.warn(fields, 'the use of a key was not noted');
    });
  }
}

/** What is compared with when there is no such key, so that it takes as long. */
const NOBODY = Buffer.alloc(32);
