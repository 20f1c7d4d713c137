import type { Claim } from '../ledger.ts';
import type { Query } from './database.ts';
import { moves } from './moves.ts';

export type MoveKind = keyof typeof moves;

/** One delivery's part of a statement of {@link moves}. */
export interface Move {
  readonly claim: Claim;
  /** Of this call: a statement that is repeated after a lost answer tells its story once. */
  readonly op: string;
  readonly run: string | undefined;
  readonly event: string;
  readonly detail?: string | undefined;
  /** What the kind needs beyond. */
  readonly more?: readonly unknown[];
}

interface Moved {
  readonly id: string;
  readonly attempt: string;
}

/** By which a row shows that an earlier call of the same attempt has moved it. `exit` has its two states. */
const DONE: { readonly [K in MoveKind]?: string } = {
  committed: `d.state in ('COMMITTED', 'CLEANED')`,
  exit: 'd.state = g.state',
};

const FIND_DONE = (condition: string): string => `select d.id, d.attempt from octo.delivery d
  join unnest($1::text[], $2::bigint[], $3::text[]) as g(id, attempt, state)
    on d.id = g.id and d.attempt = g.attempt where ${condition}`;

/** Which of them were moved, now or by an earlier call of the same attempt. */
export async function moveAll(
  query: Query,
  kind: MoveKind,
  batch: readonly Move[],
): Promise<boolean[]> {
  const statement = { name: `octo ${kind}`, text: moves[kind] };
  const moved = await query<Moved>(statement, parameters(batch));
  const done = new Set(moved.map(nameOf));
  const others = batch.filter(({ claim }) => !done.has(nameOf(claim)));
  const condition = DONE[kind];
  if (others.length > 0 && condition !== undefined) {
    const states = others.map(({ more }) => more?.[0] ?? null);
    const values = [...claimColumns(others), states];
    for (const row of await query<Moved>(FIND_DONE(condition), values)) done.add(nameOf(row));
  }
  return batch.map(({ claim }) => done.has(nameOf(claim)));
}

/** Column by column, as {@link moves} take them. */
export function parameters(batch: readonly Move[]): unknown[] {
  const width = batch[0]?.more?.length ?? 0;
  return [
    ...claimColumns(batch),
    batch.map(({ op }) => op),
    batch.map(({ run }) => run ?? null),
    batch.map(({ event }) => event),
    batch.map(({ detail }) => detail ?? null),
    ...Array.from({ length: width }, (_, column) => batch.map(({ more }) => more![column] ?? null)),
  ];
}

function claimColumns(batch: readonly Move[]): [string[], bigint[]] {
  return [batch.map(({ claim }) => claim.id), batch.map(({ claim }) => claim.attempt)];
}

function nameOf({ id, attempt }: { readonly id: string; readonly attempt: unknown }): string {
  return `${id} ${String(attempt)}`;
}
