import type { SecretSource } from '../manifest/secret-source.ts';
import { masterKeyFinder, type Ask } from './master-key.ts';
import { secretPlaceOf, type SecretPlaceOptions } from './secret-place.ts';
import { SecretStore } from './secret-store.ts';

export interface SecretSourceOptions extends SecretPlaceOptions {
  /** For a key that a passphrase protects: asked once, and again when the key's file has changed. */
  readonly ask?: Ask;
}

/**
 * The secrets of a state folder as a manifest refers to them. Nothing is read, and no library loaded, before it is opened.
 * @throws OctoError as `secretPlaceOf`; `open` as `SecretStore`
 */
export function secretSourceOf({ ask, ...options }: SecretSourceOptions): SecretSource {
  const place = secretPlaceOf(options);
  const store = new SecretStore({ place, key: masterKeyFinder(place.key, ask) });
  const { key, storeFile } = place;
  return {
    files: key.kind === 'file' ? [storeFile, key.path] : [storeFile],
    open: async () => {
      const { entries } = await store.read();
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      return {
        names: [...byName.keys()].toSorted(),
        find: (name) => byName.get(name),
      };
    },
  };
}
