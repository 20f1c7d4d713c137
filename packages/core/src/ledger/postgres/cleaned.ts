import { storableText } from '../storable-text.ts';
import type { Query } from './database.ts';

export interface Cleaned {
  readonly id: string;
  /** Where the vendor's copy lies now, if it was moved. */
  readonly location: string | undefined;
  readonly run: string | undefined;
}

/** Not fenced by attempt: a COMMITTED row is final, and only the first one finds it so. */
const CLEAN = `with given as (
    select distinct on (id) id, location, run, detail
    from unnest($1::text[], $2::bytea[], $3::text[], $4::text[]) as g(id, location, run, detail)),
  moved as (
    update octo.delivery d set state = 'CLEANED', location = coalesce(g.location, d.location)
    from given g where d.id = g.id and d.state = 'COMMITTED'
    returning d.id, d.attempt, g.run, g.detail)
  insert into octo.event (delivery_id, run, attempt, event, detail)
  select id, run, attempt, 'cleaned', detail from moved order by id`;

export async function cleanAll(query: Query, batch: readonly Cleaned[]): Promise<void[]> {
  await query({ name: 'octo cleaned', text: CLEAN }, [
    batch.map(({ id }) => id),
    batch.map(({ location }) => (location === undefined ? null : Buffer.from(location))),
    batch.map(({ run }) => run ?? null),
    batch.map(({ location }) => (location === undefined ? null : storableText(location))),
  ]);
  return batch.map(() => undefined);
}
