import type { DeliveryState } from '../delivery.ts';
import { storableText } from '../storable-text.ts';
import type { Conditions } from './conditions.ts';
import { deliveryColumns } from './delivery-row.ts';

const OPEN = new Set<DeliveryState>(['DISCOVERED', 'CLAIMED', 'STREAMING', 'VERIFIED', 'WAITING']);

/** `$1` pipeline, `$2` states, `$3` pattern for text, `$4` the same as bytes, `$5` limit. Newest first. */
export function listStatement(states: readonly DeliveryState[] | undefined): string {
  // Open deliveries are few among very many: this finds them by their own index.
  const few = states?.every((state) => OPEN.has(state)) ? 'd.open and' : '';
  return `select ${deliveryColumns} from octo.delivery d
    where ${few} ($1::text is null or d.pipeline = $1)
      and ($2::text[] is null or d.state = any($2))
      and ($3::text is null or d.id like $3 or d.object_key like $3 or d.name like $4 or d.path like $4)
    order by d.discovered desc limit $5`;
}

/** Adds what a pattern of people means: a name, a path, an id or a key. */
export function addMatch(conditions: Conditions, match: string | undefined): void {
  const pattern = match === undefined ? undefined : likePattern(match);
  conditions.add('t', pattern && storableText(pattern), (text) => {
    const bytes = conditions.value(Buffer.from(pattern!));
    return `(d.id like ${text} or d.object_key like ${text} or d.name like ${bytes} or d.path like ${bytes})`;
  });
}

/** `*` matches anything, everything else itself. */
export function likePattern(match: string): string {
  return match.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
