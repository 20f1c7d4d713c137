import type { Delivery, SourceVersion } from './delivery.ts';

const FINAL = new Set(['COMMITTED', 'CLEANED', 'DUPLICATE_OF', 'QUARANTINED', 'SUPERSEDED']);

/** Whether a delivery is still on its way. */
export function isOpen({ state }: Delivery): boolean {
  return !FINAL.has(state);
}

/**
 * Whether a superseded version counts as listed again. One that was delivered and then replaced still lies in the
 * vendor's archive; only a copy at its own path is a return.
 */
export function isBack(known: Delivery | undefined, listed: SourceVersion): boolean {
  if (known?.state !== 'SUPERSEDED') return false;
  return !known.reason?.startsWith('REPLACED_BY ') || listed.location === listed.path;
}
