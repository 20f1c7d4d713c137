import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OctoError } from '../../src/errors/octo-error.ts';
import type { FoundSecret, OpenSecrets, SecretSource } from '../../src/manifest/secret-source.ts';

/** By name: a value, and who was granted it (everybody, unless it says so). */
export type Secrets = Readonly<Record<string, string | FoundSecret>>;

/** A store in two plain files: what is in it, and a key without which it does not open. */
export class PlainSecrets implements SecretSource {
  readonly files: readonly string[];
  readonly #store: string;
  readonly #key: string;
  opened = 0;

  constructor(folder: string) {
    this.#store = join(folder, 'secrets.json');
    this.#key = join(folder, 'master.key');
    this.files = [this.#store, this.#key];
  }

  async put(secrets: Secrets): Promise<this> {
    await writeFile(this.#store, JSON.stringify(secrets));
    await this.unseal();
    return this;
  }

  async seal(): Promise<this> {
    await rm(this.#key, { force: true });
    return this;
  }

  async unseal(): Promise<void> {
    await writeFile(this.#key, 'open');
  }

  async open(): Promise<OpenSecrets> {
    this.opened++;
    const key = await readFile(this.#key, 'utf8').catch(() => undefined);
    if (key === undefined)
      throw new OctoError('OCTO_SECRETS_SEALED', 'the store is sealed; put the key back');
    const secrets = JSON.parse(await readFile(this.#store, 'utf8')) as Secrets;
    return {
      names: Object.keys(secrets).toSorted(),
      find: (name) => {
        const found = secrets[name];
        return typeof found === 'string' ? { value: found, grants: ['*'] } : found;
      },
    };
  }
}
