import type { VerifiedContent } from '../delivery.ts';
import type { VerifyOptions } from '../ledger.ts';
import { storableJson } from '../storable-text.ts';
import type { Query } from './database.ts';
import { given, HISTORY, MOVED } from './moves.ts';
import { parameters, type Move } from './move-all.ts';

export type Reservation =
  | { readonly answer: 'reserved' }
  | { readonly answer: 'held' }
  | { readonly answer: 'fenced out' }
  | { readonly answer: 'reissue'; readonly of: string };

interface Row {
  readonly n: string;
  readonly fence: boolean;
  readonly reissue: string | null;
  readonly moved: boolean;
}

/**
 * The content of many deliveries, reserved at once: a raw hash, b plain hash, c bytes, d CRC, e duplicates, f facts, g
 * whether other content that was committed under the same path is a reason to refuse. The scope is that of `held-scope.ts`.
 * Who comes second in one batch is held by the first, as if it had come a moment later; a race with another process ends
 * at the unique index.
 */
const RESERVE = `with ${given(['bytea', 'bytea', 'bigint', 'bytea', 'text', 'jsonb', 'boolean'])},
  mine as materialized (
    select g.*, d.pipeline, d.sink, d.path_hash,
      case when g.e = 'off' or d.size = 0 or g.c = 0 then 'delivery:' || d.id
        when g.e = 'pipeline' then 'pipeline'
        else 'name:' || encode(sha256(d.name), 'hex') end as scope
    from octo.delivery d join given g on d.id = g.id and d.attempt = g.attempt where d.open),
  reissue as materialized (
    select m.n, (
      select c.id from octo.delivery c
      where c.pipeline = m.pipeline and c.sink = m.sink and c.path_hash = m.path_hash
        and c.state in ('COMMITTED', 'CLEANED') and c.raw_sha256 <> m.a
      order by c.discovered desc limit 1) as of
    from mine m where m.g),
  free as materialized (
    select m.* from mine m left join reissue r on r.n = m.n
    where r.of is null
      and not exists (
        select from octo.delivery h where h.pipeline = m.pipeline and h.sink = m.sink
          and h.held_scope = m.scope and h.held_raw = m.a and h.id <> m.id)
      and not exists (
        select from mine first where first.pipeline = m.pipeline and first.sink = m.sink
          and first.scope = m.scope and first.a = m.a and first.n < m.n and first.id <> m.id)),
  moved as (
    update octo.delivery d set state = 'VERIFIED', held_raw = g.a, held_scope = g.scope,
      raw_sha256 = g.a, plain_sha256 = g.b, plain_bytes = g.c, plain_crc64 = g.d,
      verified_at = clock_timestamp(), facts = d.facts || g.f
    from free g where d.id = g.id and d.attempt = g.attempt and d.open
    ${MOVED}, g.n),
  ${HISTORY}
  select given.n, mine.n is not null as fence, reissue.of as reissue, moved.n is not null as moved
  from given left join mine using (n) left join reissue using (n) left join moved using (n)`;

/** What a delivery wants to reserve, in the columns of {@link reserveAll}. */
export function reservation(content: VerifiedContent, options: VerifyOptions): readonly unknown[] {
  return [
    content.rawSha256,
    content.plainSha256,
    content.plainBytes,
    content.plainCrc64,
    options.duplicates,
    storableJson(options.facts),
    options.refuseReissue,
  ];
}

export async function reserveAll(query: Query, batch: readonly Move[]): Promise<Reservation[]> {
  const rows = await query<Row>({ name: 'octo verified', text: RESERVE }, parameters(batch));
  const answers = new Map(rows.map((row) => [Number(row.n) - 1, row]));
  return batch.map((_, index) => answerOf(answers.get(index)!));
}

function answerOf({ fence, reissue, moved }: Row): Reservation {
  if (moved) return { answer: 'reserved' };
  if (!fence) return { answer: 'fenced out' };
  return reissue === null ? { answer: 'held' } : { answer: 'reissue', of: reissue };
}
