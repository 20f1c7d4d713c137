import type { Delivery, SourceVersion } from './delivery.ts';

const FINAL = new Set(['COMMITTED', 'CLEANED', 'DUPLICATE_OF', 'QUARANTINED', 'SUPERSEDED']);

export type Refusal = SourceVersion & { readonly reason: string };

/** Whether a delivery is still on its way. */
export function isOpen({ state }: Delivery): boolean {
  return !FINAL.has(state);
}

/** Whether a delivery was set aside as an entry that must not be opened: it never had a key. */
export function wasRefused({ state, wantedKey }: Delivery): boolean {
  return state === 'QUARANTINED' && wantedKey === '';
}

/**
 * Whether a version that had come to its end begins anew because it is listed: a superseded one is back, or one that had
 * to be refused is now fit to be opened. One that was delivered and then replaced still lies in the vendor's archive; only
 * a copy at its own path is a return.
 */
export function isBack(
  known: Delivery | undefined,
  listed: SourceVersion & { readonly key?: string },
): boolean {
  if (known === undefined) return false;
  if (wasRefused(known)) return listed.key !== undefined;
  if (known.state !== 'SUPERSEDED') return false;
  return !known.reason?.startsWith('REPLACED_BY ') || listed.location === listed.path;
}

/** Nothing but what a refused version has: the caller's object may also be one that has a key. */
export function refusal(version: Refusal): Refusal {
  const { path, name, size, mtimeMs, location, reason } = version;
  return { path, name, size, mtimeMs, location, reason };
}
