import { createHash } from 'node:crypto';
import type { VerifiedContent } from './delivery.ts';
import type { VerifyOptions } from './ledger.ts';

/**
 * In which company a content may lie only once. Two deliveries with the same scope and raw hash collide in the unique
 * index. Empty files never do: two days' "no data" files are equal, and both are wanted.
 */
export function heldScope(
  delivery: { readonly id: string; readonly name: string; readonly size: number },
  content: VerifiedContent,
  duplicates: VerifyOptions['duplicates'],
): string {
  if (duplicates === 'off' || delivery.size === 0 || content.plainBytes === 0)
    return `delivery:${delivery.id}`;
  if (duplicates === 'pipeline') return 'pipeline';
  return `name:${createHash('sha256').update(delivery.name, 'utf8').digest('hex')}`;
}
