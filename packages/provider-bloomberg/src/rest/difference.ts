import { objectOf } from './collection.ts';

/**
 * Where `stored` contradicts `wanted` first, such as `/universe/contains`; undefined when it does not. What the vendor adds
 * is its own; where it shows the address of a thing in place of the thing, or leaves a part out of its view, there is
 * nothing to compare. The order of securities and fields means nothing.
 */
export function differenceOf(wanted: unknown, stored: unknown, at = ''): string | undefined {
  if (stored === undefined) return undefined;
  if (Array.isArray(wanted) && Array.isArray(stored)) return ofLists(wanted, stored, at);
  const object = objectOf(wanted);
  const other = objectOf(stored);
  if (object !== undefined && other !== undefined) return ofObjects(object, other, at);
  if (object !== undefined || other !== undefined || Array.isArray(wanted)) return undefined;
  return sameText(wanted, stored) ? undefined : at;
}

function ofObjects(
  wanted: { readonly [name: string]: unknown },
  stored: { readonly [name: string]: unknown },
  at: string,
): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    const difference = differenceOf(value, stored[name], `${at}/${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function ofLists(
  wanted: readonly unknown[],
  stored: readonly unknown[],
  at: string,
): string | undefined {
  if (wanted.length !== stored.length) return at;
  const others = inOrder(stored);
  const differs = inOrder(wanted).some((one, i) => differenceOf(one, others[i]) !== undefined);
  return differs ? at : undefined;
}

function inOrder(list: readonly unknown[]): readonly unknown[] {
  const keyed = list.map((member) => [keyOf(member), member] as const);
  return keyed.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, member]) => member);
}

/** What tells one member of a universe, a field list or a list of overrides from another. */
function keyOf(member: unknown): string {
  const { cleanName, identifierType, identifierValue, mnemonic } = objectOf(member) ?? {};
  return JSON.stringify([identifierType, identifierValue, mnemonic, cleanName]);
}

/** Addresses may be told relative to the server, with or without the slash at their end. */
function sameText(wanted: unknown, stored: unknown): boolean {
  const [one = '', other = ''] = [wanted, stored].map((value) => String(value).replace(/\/$/, ''));
  if (one === other) return true;
  return /^https?:/.test(one) && other.startsWith('/') && one.endsWith(other);
}
