/**
 * Remembers when each listed version was seen first, by the database's clock, forgets other versions of the same paths,
 * and answers which have been seen for `$5` milliseconds. A version that has a delivery was found stable before and is not
 * watched again; one that was superseded is. `$3` ids, `$4` paths.
 */
export const SIGHT = `with given as (
    select id, sha256(path) as path_hash from unnest($3::text[], $4::bytea[]) as g(id, path)),
  known as (
    select d.id from octo.delivery d join given using (id) where d.state <> 'SUPERSEDED'),
  gone as (
    delete from octo.sighting s using given g
    where s.pipeline = $1 and s.sink = $2 and s.path_hash = g.path_hash
      and not exists (select from given same where same.id = s.id)),
  fresh as (
    insert into octo.sighting (id, pipeline, sink, path_hash)
    select distinct on (id) id, $1, $2, path_hash from given
    where not exists (select from known where known.id = given.id)
    on conflict do nothing returning id)
  select s.id from octo.sighting s join given using (id)
  where s.first_seen <= clock_timestamp() - $5 * interval '1 millisecond'
  union select id from fresh where $5 <= 0
  union select id from known`;
