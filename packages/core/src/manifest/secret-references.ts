import { OctoError } from '../errors/octo-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { pointerTo, segmentsOf } from './pointer.ts';
import { chained, isOutside, type OutsideSecrets } from './outside-secrets.ts';
import type { OpenSecrets, SecretSource } from './secret-source.ts';
import { StoreClosed } from './store-closed.ts';
import { didYouMean } from './suggest.ts';
import { Unresolved } from './unresolved.ts';

/** What has none has nothing. */
export const NO_SECRETS: SecretSource = {
  files: [],
  open: async () => ({ names: [], find: () => undefined }),
};

/** The secrets of one reading: the source is opened when the first one is asked for, and not again. */
export class SecretReferences {
  readonly #source: SecretSource;
  #outside: OutsideSecrets | undefined;
  #opened: Promise<OpenSecrets> | undefined;

  constructor(source: SecretSource) {
    this.#source = source;
  }

  /** What the stores of others gave: from now on their references have values, too. */
  add(outside: OutsideSecrets): void {
    this.#outside = outside;
  }

  /**
   * The value for the place that names it.
   * @throws Unresolved when there is no such secret, or the place has no grant for it; {@link StoreClosed}
   */
  async resolve(name: string, pointer: string): Promise<string> {
    const shown = `\${secret:${escapeText(name)}}`;
    if (name === '')
      throw new Unresolved('OCTO_REFERENCE_INVALID', `refers to ${shown}, which names no secret`);
    const grantee = granteeOf(pointer);
    if (grantee === undefined) throw new Unresolved('OCTO_REFERENCE_INVALID', nobodyThere(shown));
    if (isOutside(name)) {
      // Until the stores were asked, it is their own settings that are resolved.
      if (this.#outside === undefined) throw chained(name);
      return this.#outside.resolve(name, pointer);
    }
    const secrets = await this.#open();
    const found = secrets.find(name);
    if (found === undefined) {
      const meant = didYouMean(name, secrets.names);
      const hint = meant || '; octo-host secrets set puts it there';
      const problem = `refers to ${shown}, which the store does not have${hint}`;
      throw new Unresolved('OCTO_REFERENCE_MISSING', problem);
    }
    if (found.grants.some((one) => one === '*' || one === grantee)) return found.value;
    const grant = `octo-host secrets grant ${escapeText(name)} --for ${escapeText(grantee)}`;
    const problem = `refers to ${shown}, which it was not granted; ${grant}`;
    throw new Unresolved('OCTO_REFERENCE_NOT_GRANTED', problem);
  }

  async #open(): Promise<OpenSecrets> {
    this.#opened ??= this.#source.open();
    try {
      return await this.#opened;
    } catch (error) {
      if (isClosed(error)) throw new StoreClosed(error);
      throw error;
    }
  }
}

function isClosed(error: unknown): error is OctoError {
  return error instanceof OctoError && error.code.startsWith('OCTO_SECRETS_');
}

function nobodyThere(shown: string): string {
  return `refers to ${shown}, but only plugins, pipelines and sections of the host are granted secrets`;
}

/** Who asks for a secret at a place, as grants call it; `undefined` where nobody can be granted anything. */
function granteeOf(pointer: string): string | undefined {
  const [room, id] = segmentsOf(pointer);
  if (id === undefined) return undefined;
  if (room === 'plugins') return id;
  if (room === 'pipelines') return `pipeline:${id}`;
  return room === 'host' ? `host:${id}` : undefined;
}

/** What cannot be without the value at a place: an instance, a pipeline, a webhook or a section of the host. */
export function dependentOf(pointer: string): string {
  const [room = '', id = '', name = ''] = segmentsOf(pointer);
  const own = pointerTo(pointerTo('', room), id);
  return room === 'host' && id === 'notify' ? pointerTo(own, name) : own;
}
