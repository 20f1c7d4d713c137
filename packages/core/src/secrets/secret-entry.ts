import { OctoError } from '../errors/octo-error.ts';

/** A secret as the store keeps it. */
export interface SecretEntry {
  readonly name: string;
  readonly value: string;
  /** Ids of instances, `pipeline:<id>`, `host:<section>`; `*` for all. Sorted, each once; none: nobody may use it. */
  readonly grants: readonly string[];
  /** ISO 8601, UTC: when it was first set, and when its value was set last. */
  readonly created: string;
  readonly changed: string;
}

/** Of a value, in bytes of UTF-8: a private key has some 10 KiB, and what is larger is no credential. */
export const MAX_VALUE_BYTES = 64 * 1024;

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const GRANT = /^(?:\*|(?:pipeline:|host:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/;

/** Whether this can name a secret: letters, digits, `_`, `-` and `.`, at most 128. */
export function isSecretName(text: string): boolean {
  return NAME.test(text);
}

/** Whether this can stand in a secret's grants. */
export function isGrant(text: string): boolean {
  return GRANT.test(text);
}

/**
 * What is wrong with a value, in words that do not hold it; `undefined` when nothing is.
 */
export function valueProblem(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (!value.isWellFormed()) return 'is not text of UTF-8';
  const bytes = Buffer.byteLength(value);
  return bytes > MAX_VALUE_BYTES
    ? `has ${bytes} bytes, and a secret has ${MAX_VALUE_BYTES} at most`
    : undefined;
}

/** What is given to one secret; what is not named stays as it is. */
export interface SecretChange {
  readonly value?: string;
  readonly grants?: readonly string[];
}

/**
 * The entries with one of them changed, or new. A new one must be given a value.
 * @param at ISO 8601, UTC
 * @throws OctoError `OCTO_SECRET_INVALID` for a value that is none; it is not repeated
 */
export function withSecret(
  entries: readonly SecretEntry[],
  name: string,
  { value, grants }: SecretChange,
  at: string,
): SecretEntry[] {
  const old = entries.find((entry) => entry.name === name);
  const problem = valueProblem(value ?? old?.value ?? '');
  if (problem !== undefined)
    throw new OctoError('OCTO_SECRET_INVALID', `the value of secret '${name}' ${problem}`);
  const entry: SecretEntry = {
    name,
    value: value ?? old?.value ?? '',
    grants: [...new Set(grants ?? old?.grants ?? [])].toSorted(),
    created: old?.created ?? at,
    changed: old === undefined || (value !== undefined && value !== old.value) ? at : old.changed,
  };
  return [...entries.filter((one) => one !== old), entry].toSorted(byName);
}

function byName(a: SecretEntry, b: SecretEntry): number {
  return a.name < b.name ? -1 : 1;
}
