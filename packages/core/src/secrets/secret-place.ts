import { join, resolve, sep } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';

/** Where secrets are kept. Absolute paths. */
export interface SecretPlace {
  readonly storeFile: string;
  /** In the state folder, apart from the store. */
  readonly noteFile: string;
  readonly key: KeyPlace;
}

/** Where the master key comes from. */
export type KeyPlace =
  | { readonly kind: 'variable'; readonly text: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      /** systemd put it there: LoadCredential makes it root's, for the group of the service. */
      readonly isCredential: boolean;
    };

export interface SecretPlaceOptions {
  /** `OCTO_MASTER_KEY` is taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. Absolute. */
  readonly cwd: string;
  readonly stateFolder: string;
  /** `--secrets`; without it `OCTO_SECRETS`, else `secrets.age` in the state folder. */
  readonly file?: string | undefined;
}

/** The name under which the old store lies beside the new one. */
export function previousOf(storeFile: string): string {
  return `${storeFile}.previous`;
}

/**
 * Where the secrets of a state folder lie, and their key.
 * @throws OctoError `OCTO_SETTING_INVALID` when the environment names two keys
 */
export function secretPlaceOf(options: SecretPlaceOptions): SecretPlace {
  const { env, cwd, stateFolder, file } = options;
  const store = file ?? (env['OCTO_SECRETS'] || join(stateFolder, 'secrets.age'));
  return {
    storeFile: resolve(cwd, store),
    noteFile: join(stateFolder, 'secrets.revision'),
    key: keyPlaceOf(options),
  };
}

function keyPlaceOf({ env, cwd, stateFolder }: SecretPlaceOptions): KeyPlace {
  const text = takenKey(env);
  const named = env['OCTO_MASTER_KEY_FILE'] || undefined;
  if (text !== undefined && named !== undefined)
    throw new OctoError(
      'OCTO_SETTING_INVALID',
      'OCTO_MASTER_KEY and OCTO_MASTER_KEY_FILE are both set; keep one of them',
    );
  if (text !== undefined) return { kind: 'variable', text };
  const path = resolve(cwd, named ?? join(stateFolder, 'master.key'));
  const credentials = env['CREDENTIALS_DIRECTORY'] || undefined;
  const isCredential =
    credentials !== undefined && path.startsWith(resolve(cwd, credentials) + sep);
  return { kind: 'file', path, isCredential };
}

/** What was taken out of which environment: it may be asked for again. */
const taken = new WeakMap<object, string>();

/** Processes that this one starts, and whatever shows its environment, have no business with it. */
function takenKey(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const text = env['OCTO_MASTER_KEY'];
  if (text !== undefined) {
    delete (env as Record<string, string | undefined>)['OCTO_MASTER_KEY'];
    if (text.trim() !== '') taken.set(env, text);
  }
  return taken.get(env);
}
