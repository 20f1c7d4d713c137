import type { Manifest } from '../manifest/manifest.ts';
import type { Reference } from '../manifest/manifest-source.ts';

/** What the schemas said about the places of a manifest, once everything is validated. */
export interface KnownPlaces {
  /** Values at places marked `secret: true`, by pointer. */
  readonly secrets: ReadonlyMap<string, unknown>;
  /** Whether a schema knows the place: then the absence of `secret` means something. */
  isKnown(pointer: string): boolean;
}

/**
 * Every text of the manifest that must never be shown: what stands at places marked `secret`, and what references
 * resolved to. Of the latter, a whole reference to a variable or file is left out where the schema knows the place, does not call it secret,
 * and neither the place nor the reference sounds like one: else no error could name a host or port from the environment.
 */
export function secretsOf({ source }: Manifest, places: KnownPlaces): string[] {
  const secrets = [...places.secrets.values()].flatMap(textsIn);
  for (const [pointer, references] of source.references) {
    for (const reference of references) {
      if (!isPublic(reference, pointer, places)) secrets.push(reference.value);
    }
  }
  return secrets;
}

function isPublic(
  { scheme, whole, name }: Reference,
  pointer: string,
  places: KnownPlaces,
): boolean {
  if (scheme === 'secret' || !whole || soundsSecret(name) || soundsSecret(pointer)) return false;
  return places.isKnown(pointer) && !isBelow(pointer, places.secrets.keys());
}

const SECRET_WORDS = /pass|pwd|secret|token|key|cred|auth|private|signature|\bpin\b/i;
const PUBLIC_KEYS = /(host|public)[-_ ]?keys?/gi;

function soundsSecret(name: string): boolean {
  return SECRET_WORDS.test(name.replaceAll(PUBLIC_KEYS, ''));
}

/** Whether a place is one of these, or a part of one. */
export function isBelow(pointer: string, places: Iterable<string>): boolean {
  for (const place of places) if (pointer === place || pointer.startsWith(`${place}/`)) return true;
  return false;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
