import type { SecretSource } from '../manifest/secret-source.ts';
import type { Ask } from './master-key.ts';
import { secretPlaceOf, type SecretPlace, type SecretPlaceOptions } from './secret-place.ts';
import type { SecretStore } from './secret-store.ts';

export interface SecretSourceOptions extends SecretPlaceOptions {
  /** For a key that a passphrase protects: asked once, and again when the key's file has changed. */
  readonly ask?: Ask;
}

/**
 * The secrets of a state folder as a manifest refers to them. Nothing is read, and none of the store's code loaded, before it
 * is opened.
 * @throws OctoError as `secretPlaceOf`; `open` as `SecretStore`
 */
export function secretSourceOf({ ask, ...options }: SecretSourceOptions): SecretSource {
  const place = secretPlaceOf(options);
  const { key, storeFile } = place;
  let store: Promise<SecretStore> | undefined;
  return {
    files: key.kind === 'file' ? [storeFile, key.path] : [storeFile],
    open: async () => {
      store ??= storeAt(place, ask);
      const { entries } = await (await store).read();
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      return {
        names: [...byName.keys()].toSorted(),
        find: (name) => byName.get(name),
      };
    },
  };
}

async function storeAt(place: SecretPlace, ask: Ask): Promise<SecretStore> {
  const [{ SecretStore }, { masterKeyFinder }] = await Promise.all([
    import('./secret-store.ts'),
    import('./master-key.ts'),
  ]);
  return new SecretStore({ place, key: masterKeyFinder(place.key, ask) });
}
