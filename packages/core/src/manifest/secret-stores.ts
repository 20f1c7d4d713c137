import type { Manifest } from './manifest.ts';

/** Stores of others: instances of kind `secrets`, which the manifest names as `${secret:<instance>/<name>}`. */
export interface SecretStores {
  /**
   * Asks one for these secrets. Never rejects: what a store does not tell now is `closed`, unless it told it before.
   * @param manifest holds that instance alone
   */
  read(
    manifest: Manifest,
    instance: string,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, StoredElsewhere>>;
}

/** What a store says of one secret. Reasons are redacted. */
export type StoredElsewhere =
  | { readonly state: 'found'; readonly value: string }
  | { readonly state: 'missing' | 'denied' | 'closed'; readonly reason: string };
