import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock, Logger } from '@octo/plugin-api';
import type { Delivery, DeliveryEvent, Scope, SourceVersion, VerifiedContent } from './delivery.ts';
import { deliveryId } from './delivery-id.ts';
import { FencedOut } from './fenced-out.ts';
import { heldScope } from './held-scope.ts';
import { indexAfter } from './index-after.ts';
import type {
  Claim,
  ClaimRequest,
  CommitRecord,
  Discovery,
  DiscoverResult,
  KeyAt,
  Ledger,
  ListFilter,
  VerifiedAnswer,
  VerifyOptions,
} from './ledger.ts';
import { claimNext, claimSimple, claimsOf, freeKey, lostKeyRace } from './postgres/claim.ts';
import { Database, type DatabasePlace, type Query } from './postgres/database.ts';
import { violates } from './postgres/database-trouble.ts';
import { deliveryColumns, toDelivery, type DeliveryRow } from './postgres/delivery-row.ts';
import { discover, FRESH, refuse } from './postgres/discover.ts';
import { LedgerReader } from './postgres/ledger-reader.ts';
import { Groups, type Gathered } from './postgres/groups.ts';
import { moveAll, type Move } from './postgres/move-all.ts';
import { Presence } from './postgres/presence.ts';
import { reservation, type Reservation } from './postgres/reserve.ts';
import { SIGHT } from './postgres/sight.ts';
import { migrate } from './schema/migrate.ts';
import { storableText } from './storable-text.ts';

/** Rows in one statement. */
const BATCH = 1000;
/** Times a lost race for a key or a content is run again: each time somebody else has won. */
const RACES = 50;
export interface PostgresLedgerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stands in the history of everything that is done through this ledger. */
  readonly run?: string | undefined;
}

/** The ledger in PostgreSQL, schema `octo`. See {@link Ledger} for what each method promises. */
export class PostgresLedger implements Ledger {
  readonly #database: Database;
  readonly #presence: Presence;
  readonly #reader: LedgerReader;
  readonly #groups: Groups;
  readonly #run: string | undefined;
  readonly #more = new AsyncDisposableStack();
  readonly #owner = `${hostname()}:${process.pid}`;

  private constructor(
    database: Database,
    presence: Presence,
    groups: Groups,
    run: string | undefined,
  ) {
    this.#database = database;
    this.#reader = new LedgerReader(database);
    this.#groups = groups;
    this.#presence = presence;
    this.#run = run;
  }

  /**
   * Connects, migrates, and shows the others that this process lives.
   * @throws OctoError OCTO_DATABASE_UNREACHABLE, OCTO_DATABASE_REFUSED, OCTO_LEDGER_NEWER
   */
  static async open(place: DatabasePlace, options: PostgresLedgerOptions): Promise<PostgresLedger> {
    await using opening = new AsyncDisposableStack();
    const database = opening.use(new Database(place, options));
    await database.onClient(migrate);
    const presence = opening.use(await Presence.show(place, options.clock, options.logger));
    opening.move();
    return new PostgresLedger(database, presence, new Groups(database), options.run);
  }

  /** Has something disposed after the ledger itself. */
  closing(more: AsyncDisposable): this {
    this.#more.use(more);
    return this;
  }

  /** The same ledger, telling its history under the name of a run. Dispose the original only. */
  withRun(run: string): Ledger {
    const view = new PostgresLedger(this.#database, this.#presence, this.#groups, run);
    return Object.defineProperty(view, Symbol.asyncDispose, { value: async () => undefined });
  }

  async discover(scope: Scope, versions: readonly Discovery[]): Promise<DiscoverResult> {
    const parts: DiscoverResult[] = [];
    for (const batch of batches(versions))
      parts.push(await this.#database.run((query) => discover(query, scope, batch, this.#run)));
    return {
      added: parts.flatMap(({ added }) => added),
      reopened: parts.flatMap(({ reopened }) => reopened),
      known: parts.flatMap(({ known }) => known),
    };
  }

  async refuse(
    scope: Scope,
    versions: readonly (SourceVersion & { reason: string })[],
  ): Promise<Delivery[]> {
    const parts: Delivery[][] = [];
    for (const batch of batches(versions))
      parts.push(await this.#database.run((query) => refuse(query, scope, batch, this.#run)));
    return parts.flat();
  }

  async claim(request: ClaimRequest): Promise<Delivery | undefined> {
    return (await this.claimMany(request, 1))[0];
  }

  async claimMany(request: ClaimRequest, most: number): Promise<Delivery[]> {
    const claimant = { owner: this.#owner, lock: this.#presence.lock, run: this.#run };
    const count = Math.min(Math.max(0, most), BATCH);
    if (count === 0) return [];
    return await racing(lostKeyRace, async () => {
      const ops = Array.from({ length: count }, () => randomUUID());
      const claimOnce =
        (claim: typeof claimNext) =>
        async (query: Query, tries: number): Promise<Delivery[]> => {
          const before = tries > 1 ? await claimsOf(query, ops) : [];
          return before.length > 0 ? before : await claim(query, request, { ...claimant, ops });
        };
      const simple = await this.#database.run(claimOnce(claimSimple));
      if (simple.length > 0) return simple;
      return await this.#database.transaction(claimOnce(claimNext));
    });
  }

  async renew(claim: Claim, leaseMs: number): Promise<boolean> {
    const rows = await this.#database.query(
      `update octo.delivery set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
       where id = $1 and attempt = $2 and open and owner_lock = $4 returning id`,
      [claim.id, claim.attempt, leaseMs, this.#presence.lock],
    );
    return rows.length > 0;
  }

  async fenced(claim: Claim): Promise<void> {
    await this.#move('fenced', claim, ['fenced']);
  }

  async streaming(
    claim: Claim,
    upload: { readonly id: string; readonly token: string },
  ): Promise<void> {
    await this.#move('streaming', claim, ['streaming'], [upload.id, upload.token]);
  }

  async verified(
    claim: Claim,
    content: VerifiedContent,
    options: VerifyOptions,
  ): Promise<VerifiedAnswer> {
    for (let race = 1; ; race++) {
      const answer = await this.#reserve(claim, content, options);
      if (answer.answer === 'fenced out') throw new FencedOut(claim.id, claim.attempt);
      if (answer.answer !== 'held') return answer;
      const holder = await this.#holderOf(claim, content, options);
      if (holder !== undefined) return { answer: 'held', holder: holder.id, state: holder.state };
      if (race === RACES)
        throw new Error(`the content of delivery ${claim.id} changes hands too often`);
    }
  }

  async #reserve(
    claim: Claim,
    content: VerifiedContent,
    options: VerifyOptions,
  ): Promise<Reservation> {
    try {
      const more = reservation(content, options);
      return await this.#groups.reserve.ask(this.#told(claim, ['verified'], more));
    } catch (error) {
      if (violates(error, 'delivery_content')) return { answer: 'held' };
      throw error;
    }
  }

  async #holderOf(
    claim: Claim,
    content: VerifiedContent,
    { duplicates }: VerifyOptions,
  ): Promise<Delivery | undefined> {
    const { id, name, size, pipeline, sink } = await this.#owned(claim);
    const scope = heldScope({ id, name, size }, content, duplicates);
    const rows = await this.#database.query<DeliveryRow>(
      `select ${deliveryColumns} from octo.delivery d where d.pipeline = $1 and d.sink = $2
       and d.held_scope = $3 and d.held_raw = $4 and d.id <> $5`,
      [pipeline, sink, scope, content.rawSha256, id],
    );
    return rows.map(toDelivery)[0];
  }

  async wait(claim: Claim, holder: string, rawSha256: Buffer): Promise<void> {
    await this.#move('wait', claim, ['waiting', `for ${holder}`], [holder, rawSha256]);
  }

  async duplicate(claim: Claim, holder: string, rawSha256: Buffer): Promise<boolean> {
    const told = this.#told(claim, ['duplicate', `of ${holder}`], [holder]);
    return await this.#database.transaction(async (query) => {
      if (await isIn(query, claim, `state = 'DUPLICATE_OF' and duplicate_of = $3`, [holder]))
        return true;
      const held = await query(
        `select from octo.delivery where id = $1 and held_raw = $2
         and state in ('COMMITTED', 'CLEANED') for share`,
        [holder, rawSha256],
      );
      if (held.length === 0) {
        if (!(await isIn(query, claim, 'open'))) throw new FencedOut(claim.id, claim.attempt);
        return false;
      }
      const [isMoved] = await moveAll(query, 'duplicate', [told]);
      if (!isMoved) throw new FencedOut(claim.id, claim.attempt);
      return true;
    });
  }

  async nextKey(claim: Claim, keyAt: KeyAt): Promise<string> {
    const { wantedKey, ...before } = await this.#owned(claim);
    const from = before.objectKey ?? (await this.#keyOfReplaced(before.replaces));
    return await racing(lostKeyRace, () =>
      this.#database.transaction(async (query) => {
        const place = { sink: before.sink, wanted: wantedKey, keyAt };
        const key = await freeKey(query, place, indexAfter(from, wantedKey, keyAt));
        const told = this.#told(claim, ['next key', key], [key, before.objectKey ?? null]);
        if ((await moveAll(query, 'nextKey', [told]))[0]) return key;
        const [now] = await query<{ object_key: string | null }>(
          'select object_key from octo.delivery where id = $1 and attempt = $2 and open',
          [claim.id, claim.attempt],
        );
        // A lost answer: the first try has moved it.
        if (now?.object_key) return now.object_key;
        throw new FencedOut(claim.id, claim.attempt);
      }),
    );
  }

  async #owned(claim: Claim): Promise<Delivery> {
    const delivery = await this.find(claim.id);
    if (delivery?.attempt === claim.attempt) return delivery;
    throw new FencedOut(claim.id, claim.attempt);
  }

  async #keyOfReplaced(replaces: string | undefined): Promise<string | undefined> {
    return replaces === undefined ? undefined : (await this.find(replaces))?.objectKey;
  }

  async committed(claim: Claim, commit: CommitRecord): Promise<void> {
    const { etag = null, versionId = null, clean = false } = commit;
    const more = [etag, versionId, clean];
    await this.#move('committed', claim, ['committed', commit.how], more);
  }

  async exit(claim: Claim, state: 'QUARANTINED' | 'SUPERSEDED', reason: string): Promise<void> {
    const text = storableText(reason);
    const event = [state === 'QUARANTINED' ? 'quarantined' : 'superseded', text] as const;
    await this.#move('exit', claim, event, [state, text]);
  }

  async park(claim: Claim, reason: string, notBeforeMs: number): Promise<void> {
    const text = storableText(reason);
    await this.#move('park', claim, ['parked', text], [text, notBeforeMs]);
  }

  async cleaned(id: string, location: string | undefined): Promise<void> {
    await this.#groups.cleaned.ask({ id, location, run: this.#run });
  }

  async uncleaned(scope: Scope, limit: number): Promise<Delivery[]> {
    return await this.#reader.uncleaned(scope, limit);
  }

  async countOpen(scope: Scope): Promise<number> {
    return await this.#reader.countOpen(scope);
  }

  async find(id: string): Promise<Delivery | undefined> {
    return await this.#reader.find(id);
  }

  async group(scope: Scope, group: string): Promise<Delivery[]> {
    return await this.#reader.group(scope, group);
  }

  async liveUploads(sink: string): Promise<ReadonlySet<string>> {
    return await this.#reader.liveUploads(sink);
  }

  async list(filter: ListFilter): Promise<Delivery[]> {
    return await this.#reader.list(filter);
  }

  async history(id: string): Promise<DeliveryEvent[]> {
    return await this.#reader.history(id);
  }

  async note(id: string, event: string, detail?: string): Promise<void> {
    await this.#database.query(
      `insert into octo.event (op, delivery_id, run, attempt, event, detail)
       select $2::uuid, id, $3, attempt, $4, $5 from octo.delivery where id = $1
       on conflict (op) where op is not null do nothing`,
      [
        id,
        randomUUID(),
        this.#run,
        storableText(event),
        detail === undefined ? null : storableText(detail),
      ],
    );
  }

  async release(id: string): Promise<boolean> {
    const rows = await this.#database.query(
      `with moved as (
         update octo.delivery d set state = 'DISCOVERED', discovered = nextval('octo.discovery'),
           reason = null, ${FRESH}
         where d.id = $1 and d.state = 'QUARANTINED' and d.wanted_key <> ''
         returning d.id, d.attempt)
       insert into octo.event (delivery_id, run, attempt, event)
       select id, $2, attempt, 'released' from moved returning delivery_id`,
      [id, this.#run],
    );
    return rows.length > 0;
  }

  async sight(
    scope: Scope,
    files: readonly SourceVersion[],
    settleMs: number,
  ): Promise<ReadonlySet<string>> {
    if (files.length === 0) return new Set();
    const rows = await this.#database.query<{ id: string }>(SIGHT, [
      scope.pipeline,
      scope.sink,
      files.map((file) => deliveryId(scope, file)),
      files.map((file) => Buffer.from(file.path)),
      settleMs,
    ]);
    return new Set(rows.map((row) => row.id));
  }

  async lockPlace(place: string): Promise<AsyncDisposable | undefined> {
    return await this.#presence.takePlace(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#presence[Symbol.asyncDispose](),
      this.#database[Symbol.asyncDispose](),
    ]);
    await this.#more.disposeAsync();
  }

  /** A fenced statement. */
  async #move(
    kind: Gathered,
    claim: Claim,
    event: readonly [event: string, detail?: string],
    more: readonly unknown[] = [],
  ): Promise<void> {
    const isMoved = await this.#groups.moves[kind].ask(this.#told(claim, event, more));
    if (!isMoved) throw new FencedOut(claim.id, claim.attempt);
  }

  #told(
    claim: Claim,
    [event, detail]: readonly [event: string, detail?: string],
    more: readonly unknown[] = [],
  ): Move {
    return { claim, op: randomUUID(), run: this.#run, event, detail, more };
  }
}

/** Whether the delivery still has this attempt and fulfils `condition`. */
async function isIn(
  query: Query,
  claim: Claim,
  condition: string,
  values: readonly unknown[] = [],
): Promise<boolean> {
  const sql = `select from octo.delivery where id = $1 and attempt = $2 and ${condition}`;
  return (await query(sql, [claim.id, claim.attempt, ...values])).length > 0;
}

/** Runs `attempt` again for as long as somebody else wins. */
async function racing<T>(lost: (error: unknown) => boolean, attempt: () => Promise<T>): Promise<T> {
  for (let race = 1; ; race++) {
    try {
      return await attempt();
    } catch (error) {
      if (!lost(error) || race === RACES) throw error;
    }
  }
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
