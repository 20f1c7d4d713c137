import { OctoError } from '../errors/octo-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Manifest } from './manifest.ts';
import { segmentsOf } from './pointer.ts';
import type { SecretStores, StoredElsewhere } from './secret-stores.ts';
import { StoreClosed } from './store-closed.ts';
import { didYouMean } from './suggest.ts';
import { Unresolved } from './unresolved.ts';

/** The part of a manifest with one instance alone; `undefined` when something is wrong with it. */
export type InstanceAlone = (id: string) => Promise<Manifest | StoreClosed | undefined>;

/** What the stores of others gave for one reading of a manifest. */
export class OutsideSecrets {
  readonly #instances: readonly string[];
  readonly #read: ReadonlyMap<string, Read>;

  private constructor(instances: readonly string[], read: ReadonlyMap<string, Read>) {
    this.#instances = instances;
    this.#read = read;
  }

  /** Asks every store that the manifest names, all at the same time. */
  static async read(
    written: unknown,
    stores: SecretStores | undefined,
    alone: InstanceAlone,
  ): Promise<OutsideSecrets> {
    const instances = instancesIn(written);
    const reading = [...namesIn(written)]
      .filter(([id]) => instances.includes(id))
      .map(async ([id, names]) => [id, await readStore(id, [...names], stores, alone)] as const);
    return new OutsideSecrets(instances, new Map(await Promise.all(reading)));
  }

  /** @throws Unresolved, StoreClosed */
  resolve(reference: string, pointer: string): string {
    const shown = `\${secret:${escapeText(reference)}}`;
    const { instance, name } = parted(reference);
    if (this.#isOfAStore(pointer)) throw chained(reference);
    const read = this.#read.get(instance);
    if (read === undefined) throw this.#unknown(shown, instance);
    if (read === 'absent') {
      const problem = `refers to ${shown}, but plugin '${instance}' is switched off, or not right itself`;
      throw new Unresolved('OCTO_REFERENCE_MISSING', problem);
    }
    if (read instanceof StoreClosed) throw read;
    const found = read.get(name);
    if (found?.state === 'found') return found.value;
    const reason = found?.reason ?? 'which was not asked for';
    const code =
      found?.state === 'denied' ? 'OCTO_REFERENCE_NOT_GRANTED' : 'OCTO_REFERENCE_MISSING';
    throw new Unresolved(code, `refers to ${shown}: ${reason}`);
  }

  /** The settings of a store that the manifest names cannot come from another one. */
  #isOfAStore(pointer: string): boolean {
    const [room, id = ''] = segmentsOf(pointer);
    return room === 'plugins' && this.#read.has(id);
  }

  #unknown(shown: string, instance: string): Unresolved {
    const meant = didYouMean(instance, this.#instances);
    const problem = `refers to ${shown}, but '${escapeText(instance)}' is not among the plugins${meant}`;
    return new Unresolved('OCTO_REFERENCE_MISSING', problem);
  }
}

/** A setting of a store refers to another one. */
export function chained(reference: string): Unresolved {
  const shown = `\${secret:${escapeText(reference)}}`;
  const problem = `refers to ${shown}, but is itself a setting of a store of secrets`;
  const others = 'these take ${env:NAME}, ${file:path} and ${secret:name}';
  return new Unresolved('OCTO_REFERENCE_INVALID', `${problem}; ${others}`);
}

type Read = ReadonlyMap<string, StoredElsewhere> | StoreClosed | 'absent';

async function readStore(
  id: string,
  names: readonly string[],
  stores: SecretStores | undefined,
  alone: InstanceAlone,
): Promise<Read> {
  const manifest = await alone(id);
  if (manifest instanceof StoreClosed) return manifest;
  if (manifest?.plugins.get(id)?.enabled !== true || stores === undefined) return 'absent';
  const read = await stores.read(manifest, id, names);
  const closed = [...read.values()].find(({ state }) => state === 'closed');
  if (closed === undefined || closed.state !== 'closed') return read;
  const message = `plugin '${id}' does not give its secrets: ${closed.reason}`;
  return new StoreClosed(new OctoError('OCTO_SECRETS_UNAVAILABLE', message));
}

/** Whether a reference names a store of others: names of the host's own store have no slash. */
export function isOutside(reference: string): boolean {
  return reference.includes('/');
}

function parted(reference: string): { readonly instance: string; readonly name: string } {
  const slash = reference.indexOf('/');
  return { instance: reference.slice(0, slash), name: reference.slice(slash + 1) };
}

function instancesIn(written: unknown): string[] {
  if (typeof written !== 'object' || written === null || !('plugins' in written)) return [];
  const { plugins } = written;
  return typeof plugins === 'object' && plugins !== null ? Object.keys(plugins) : [];
}

const REFERENCES = /\$\$\{|\$\{secret:([^}/]*\/[^}]*)\}/g;

/** Which secrets are wanted of which instance. */
function namesIn(written: unknown): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  const walk = (part: unknown): void => {
    if (typeof part === 'object' && part !== null) Object.values(part).forEach(walk);
    if (typeof part !== 'string') return;
    for (const [, reference] of part.matchAll(REFERENCES)) {
      if (reference === undefined) continue;
      const { instance, name } = parted(reference);
      wanted.set(instance, (wanted.get(instance) ?? new Set()).add(name));
    }
  };
  walk(written);
  return wanted;
}
