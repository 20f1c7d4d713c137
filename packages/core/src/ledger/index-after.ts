import type { KeyAt } from './ledger.ts';

/** The index behind `key` in the sequence of `wanted`; 0 when it is not one of its first keys. */
export function indexAfter(key: string | undefined, wanted: string, keyAt: KeyAt): number {
  if (key === undefined) return 0;
  for (let index = 0; index < 10_000; index++) if (keyAt(wanted, index) === key) return index + 1;
  return 0;
}
