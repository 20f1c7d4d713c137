import type { Manifest } from './manifest.ts';

export interface ReadManifestOptions {
  /** What `${env:NAME}` refers to. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads `plugins.json`: JSON with comments and trailing commas, references resolved, validated, defaults applied, frozen.
 * @throws OctoError with all that is wrong, as `issues`: what, where and what was probably meant
 */
export async function readManifest(
  _file: string,
  _options: ReadManifestOptions,
): Promise<Manifest> {
  throw new Error('not built yet');
}
