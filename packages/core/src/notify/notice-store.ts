import { randomUUID } from 'node:crypto';
import type { Database, Query } from '../ledger/postgres/database.ts';
import { storableText } from '../ledger/storable-text.ts';
import { noticeBody, type Happening } from './notice-body.ts';
import type { Webhook } from './webhook.ts';

/** Rows of the outbox in one transaction. */
const MOST_GATHERED = 500;
/** Who took a notice and said nothing for so long is gone. */
const LEASE_MS = 60_000;
/** What is done is kept for a while, so that it can be looked up; what nobody wants any more, too. */
const KEEP_DAYS = 7;
const GIVE_UP_DAYS = 30;

export interface TakenNotice {
  readonly id: string;
  readonly body: string;
  /** This one included. */
  readonly attempts: number;
  readonly ageMs: number;
}

/** What webhooks are still to be told, in PostgreSQL: each notice once for each of them, and no more than one host at it. */
export class NoticeStore {
  readonly #database: Database;
  readonly #webhooks: readonly Webhook[];
  readonly #since = new Map<string, number>();

  constructor(database: Database, webhooks: readonly Webhook[]) {
    this.#database = database;
    this.#webhooks = webhooks;
  }

  /** Begins to keep notices for webhooks that are new: they are told what happens from now on. */
  async enrol(): Promise<void> {
    const names = this.#webhooks.map(({ name }) => name);
    await this.#database.query(
      `insert into octo.webhook (name) select unnest($1::text[]) on conflict do nothing`,
      [names],
    );
    const rows = await this.#database.query<{ name: string; since: number }>(
      `select name, ${MS('since')} as since from octo.webhook where name = any($1)`,
      [names],
    );
    for (const { name, since } of rows) this.#since.set(name, since);
  }

  /** Turns rows of the outbox into notices. Answers how many rows there were; more may be left when it is many. */
  async gather(): Promise<number> {
    return await this.#database.transaction(async (query) => {
      const rows = await query<OutboxRow>(TAKE_OUTBOX, [MOST_GATHERED]);
      if (rows.length === 0) return 0;
      await query(LAST_DELIVERY, [
        rows.map(({ pipeline }) => pipeline),
        rows.map(({ kind }) => kind === 'committed'),
        rows.map(({ at }) => at),
      ]);
      await this.#make(query, rows.map(happeningOf));
      return rows.length;
    });
  }

  /** Runs that ended badly lately, and that not every webhook knows of; they are no part of the outbox. */
  async failures(): Promise<readonly Happening[]> {
    const wanting = this.#webhooks.filter(({ on }) => on.includes('failed'));
    if (wanting.length === 0) return [];
    const wishes = wanting.map(({ name, pipelines }) => ({ name, pipelines }));
    const rows = await this.#database.query<FailedRow>(FAILED_RUNS, [JSON.stringify(wishes)]);
    return rows.map(({ id, at, pipeline, state, code, reason }) => ({
      kind: 'failed',
      subject: `failed/${id}`,
      pipeline,
      atMs: at,
      data: { run: id, state, code: code ?? '', reason: reason ?? '' },
    }));
  }

  /** Notices of what did not come out of the outbox; known subjects are left alone. */
  async add(happenings: readonly Happening[]): Promise<void> {
    await this.#database.run((query) => this.#make(query, happenings));
  }

  /** When each pipeline delivered last, in milliseconds; the others did not while anybody looked. */
  async lastDeliveries(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.query<{ pipeline: string; at: number }>(
      `select pipeline, ${MS('at')} as at from octo.last_delivery`,
    );
    return new Map(rows.map(({ pipeline, at }) => [pipeline, at]));
  }

  /** When the first of the webhooks was enrolled, in milliseconds. */
  get lookingSinceMs(): number {
    return Math.min(...this.#since.values());
  }

  /** Notices of a webhook that are due, taken for a minute. */
  async take(webhook: string, most: number): Promise<readonly TakenNotice[]> {
    return await this.#database.query<TakenNotice>(TAKE_NOTICES, [webhook, most, LEASE_MS]);
  }

  /** It was told, or is given up: `trouble` says why. */
  async done(id: string, trouble: string | null = null): Promise<void> {
    await this.#database.query(
      'update octo.notice set done_at = clock_timestamp(), trouble = $2 where id = $1',
      [id, trouble],
    );
  }

  async again(id: string, afterMs: number, trouble: string): Promise<void> {
    await this.#database.query(
      `update octo.notice set trouble = $3,
         not_before = clock_timestamp() + $2 * interval '1 millisecond' where id = $1`,
      [id, afterMs, trouble],
    );
  }

  async forget(): Promise<void> {
    await this.#database.query(
      `delete from octo.notice where done_at < clock_timestamp() - interval '${KEEP_DAYS} days'
         or made_at < clock_timestamp() - interval '${GIVE_UP_DAYS} days'`,
    );
  }

  async #make(query: Query, happenings: readonly Happening[]): Promise<void> {
    const made = this.#webhooks.flatMap((webhook) =>
      happenings
        .filter((one) => this.#wants(webhook, one))
        .map((one) => ({ webhook: webhook.name, subject: one.subject, body: noticeBody(one) })),
    );
    if (made.length === 0) return;
    await query(
      `insert into octo.notice (id, webhook, subject, body)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) on conflict do nothing`,
      [
        made.map(() => `msg_${randomUUID().replaceAll('-', '')}`),
        made.map(({ webhook }) => webhook),
        made.map(({ subject }) => subject),
        made.map(({ body }) => storableText(body)),
      ],
    );
  }

  #wants({ name, on, pipelines }: Webhook, { kind, pipeline, atMs }: Happening): boolean {
    if (!on.includes(kind) || atMs < (this.#since.get(name) ?? Infinity)) return false;
    return pipelines === undefined || pipelines.includes(pipeline);
  }
}

interface FailedRow {
  readonly id: string;
  readonly at: number;
  readonly pipeline: string;
  readonly state: 'FAILED' | 'QUARANTINED';
  readonly code: string | null;
  readonly reason: string | null;
}

interface OutboxRow {
  readonly id: string;
  readonly kind: 'committed' | 'quarantined';
  readonly discovered: string;
  readonly at: number;
  readonly pipeline: string;
  readonly path: Buffer;
  readonly object_key: string | null;
  readonly reason: string | null;
  readonly plain_bytes: string | null;
  readonly plain_sha256: Buffer | null;
}

const MS = (column: string): string => `floor(extract(epoch from ${column}) * 1000)::float8`;

const TAKE_OUTBOX = `with taken as (
    delete from octo.outbox where ctid = any(array(
      select ctid from octo.outbox limit $1 for update skip locked))
    returning delivery_id, kind, discovered, at)
  select d.id, t.kind, t.discovered, ${MS('t.at')} as at, d.pipeline, d.path, d.object_key, d.reason,
    d.plain_bytes, d.plain_sha256
  from taken t join octo.delivery d on d.id = t.delivery_id order by t.at, d.id`;

const LAST_DELIVERY = `insert into octo.last_delivery (pipeline, at)
  select pipeline, to_timestamp(max(at) / 1000)
  from unnest($1::text[], $2::boolean[], $3::float8[]) as g(pipeline, is_delivery, at)
  where is_delivery group by pipeline order by pipeline
  on conflict (pipeline) do update set at = greatest(octo.last_delivery.at, excluded.at)`;

/** `$1`: who wants to hear of which. A host that was away for longer than three days tells no old stories. */
const FAILED_RUNS = `select r.id, ${MS('r.ended_at')} as at, r.pipeline, r.state, r.error_code as code,
    r.error_message as reason
  from octo.run r
  where r.ended_at > clock_timestamp() - interval '3 days' and r.state in ('FAILED', 'QUARANTINED')
    and exists (
      select from jsonb_to_recordset($1::jsonb) as wish(name text, pipelines jsonb)
      join octo.webhook w on w.name = wish.name and r.ended_at >= w.since
      where (wish.pipelines is null or wish.pipelines ? r.pipeline)
        and not exists (
          select from octo.notice n where n.webhook = w.name and n.subject = 'failed/' || r.id))
  order by r.ended_at limit 500`;

const TAKE_NOTICES = `update octo.notice set attempts = attempts + 1,
    not_before = clock_timestamp() + $3 * interval '1 millisecond'
  where id in (
    select id from octo.notice
    where webhook = $1 and done_at is null and not_before <= clock_timestamp()
    order by not_before, id limit $2 for update skip locked)
  returning id, body, attempts, ${MS("'epoch'::timestamptz + (clock_timestamp() - made_at)")} as "ageMs"`;

function happeningOf(row: OutboxRow): Happening {
  const { id, pipeline, path, discovered, at } = row;
  const file = { delivery: id, path: path.toString() };
  const about = (kind: string) => `${kind}/${id}/${discovered}`;
  if (row.kind === 'quarantined')
    return {
      kind: 'quarantined',
      subject: about('quarantined'),
      pipeline,
      atMs: at,
      data: { ...file, reason: row.reason ?? '' },
    };
  return {
    kind: 'delivered',
    subject: about('delivered'),
    pipeline,
    atMs: at,
    data: {
      ...file,
      ...(row.object_key !== null && { key: row.object_key }),
      ...(row.plain_bytes !== null && { bytes: Number(row.plain_bytes) }),
      ...(row.plain_sha256 !== null && { sha256: row.plain_sha256.toString('hex') }),
    },
  };
}
