import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { OctoError } from '../errors/octo-error.ts';
import type { Host } from '../host/host.ts';
import type { Reload } from '../host/reloading.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { planChange, type Plan } from '../manifest/plan.ts';
import { parseManifest } from '../manifest/read-manifest.ts';
import { removalsIssue } from '../manifest/removals.ts';
import type { SecretSource } from '../manifest/secret-source.ts';
import type { SecretStores } from '../manifest/secret-stores.ts';
import { shownManifest } from './shown-manifest.ts';

export interface ManifestDoorOptions {
  readonly host: Pick<Host, 'manifest' | 'redact'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `${secret:name}` and `${secret:<instance>/<name>}` come from. */
  readonly secrets?: SecretSource;
  readonly stores?: SecretStores;
  /** The one way to a changed host. */
  readonly reload: () => Promise<Reload>;
  /** Builds every plugin and throws it away. @throws OctoError with all that is wrong */
  readonly judge: (manifest: Manifest) => Promise<void>;
}

/** The manifest as callers see and change it. One change at a time. */
export class ManifestDoor {
  readonly #options: ManifestDoorOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ManifestDoorOptions) {
    this.#options = options;
  }

  /** What is served now, secrets as the references that they came from, and the revision of the file. */
  async shown(): Promise<{
    readonly revision: string;
    readonly manifest: Record<string, unknown>;
  }> {
    const { manifest, redact } = this.#options.host;
    return {
      revision: revisionOf(await readText(manifest.file)),
      manifest: shownManifest(manifest, redact),
    };
  }

  /** @throws OctoError with all that is wrong with the text */
  async validate(text: string): Promise<Manifest> {
    const { host, judge, ...reading } = this.#options;
    const manifest = await parseManifest(text, host.manifest.file, reading);
    await judge(manifest);
    return manifest;
  }

  /** What the text would change. @throws OctoError as {@link validate}, and `OCTO_MANIFEST_REMOVALS` */
  async plan(text: string): Promise<Plan> {
    const before = this.#options.host.manifest;
    const manifest = await this.validate(text);
    const missing = removalsIssue([...before.pipelines.keys()], manifest);
    if (missing !== undefined)
      throw new OctoError(missing.code, missing.message, { issues: [missing] });
    return planChange(before, manifest);
  }

  /**
   * Writes the text to the manifest's file and has the running host take it. When it refuses, the file is as before.
   * @param revision the file must have, if given
   * @throws OctoError as {@link plan}; `OCTO_API_CONFLICT` when the file is another one by now; `OCTO_MANIFEST_UNWRITABLE`
   */
  async apply(text: string, revision: string | undefined): Promise<Plan> {
    return await this.#inTurn(async () => {
      const { file } = this.#options.host.manifest;
      const before = await readText(file);
      if (revision !== undefined && revision !== revisionOf(before)) throw changed();
      const plan = await this.plan(text);
      if ((await readText(file)) !== before) throw changed();
      await writeText(file, text);
      const reload = await this.#options.reload();
      if (reload.outcome !== 'refused') return reload.outcome === 'applied' ? reload.plan : plan;
      await writeText(file, before);
      throw reload.error;
    });
  }

  /** Looks at the manifest's file now. @throws OctoError with the reason when it is refused */
  async reload(): Promise<Reload> {
    const reload = await this.#inTurn(() => this.#options.reload());
    if (reload.outcome === 'refused') throw reload.error;
    return reload;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }
}

function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function changed(): OctoError {
  const text =
    'the manifest has changed meanwhile; look at it again (GET /v1/manifest), then apply';
  return new OctoError('OCTO_API_CONFLICT', text);
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}

/** Whole or not at all, and with the rights that the file had. */
async function writeText(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await using was = await open(file, 'r');
    await using handle = await open(draft, 'wx', (await was.stat()).mode & 0o777);
    await handle.writeFile(text);
    await handle.sync();
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new OctoError(
      'OCTO_MANIFEST_UNWRITABLE',
      'the manifest cannot be written here; change it where it comes from, then POST /v1/reload',
      { cause },
    );
  }
}
