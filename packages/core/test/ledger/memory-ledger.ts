import type { Clock } from '@octo/plugin-api';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryState,
  Scope,
  SourceVersion,
  VerifiedContent,
} from '../../src/ledger/delivery.ts';
import { deliveryId } from '../../src/ledger/delivery-id.ts';
import { FencedOut } from '../../src/ledger/fenced-out.ts';
import { heldScope } from '../../src/ledger/held-scope.ts';
import { indexAfter } from '../../src/ledger/index-after.ts';
import { isBack, isOpen, refusal, wasRefused } from '../../src/ledger/known-version.ts';
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
} from '../../src/ledger/ledger.ts';

type Row = Delivery & {
  readonly heldScope: string | undefined;
  readonly waitingHash: Buffer | undefined;
};
type Change = { readonly [K in keyof Row]?: Row[K] };

/** What several ledgers of a test share, as processes share a database. */
export class MemoryStore {
  readonly rows = new Map<string, Row>();
  readonly events = new Map<string, DeliveryEvent[]>();
  readonly sightings = new Map<string, { readonly path: string; readonly firstSeen: number }>();
  /** `<delivery id> <kind> <discovery number>` */
  readonly outbox = new Set<string>();
  readonly places = new Map<string, string>();
  discovered = 0n;
}

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  readonly store?: MemoryStore;
  /** Stands for a process. */
  readonly owner?: string;
  /** Whether the process of this name lives: the deliveries of a dead one are claimable at once. Default: all live. */
  readonly isAlive?: (owner: string) => boolean;
  readonly run?: string | undefined;
}

const LET_GO = {
  owner: undefined,
  leaseUntil: undefined,
  heldRaw: undefined,
  heldScope: undefined,
  uploadId: undefined,
  uploadToken: undefined,
  objectKey: undefined,
  replaces: undefined,
} as const;

const FRESH = {
  reason: undefined,
  duplicateOf: undefined,
  notBefore: undefined,
  waitingOn: undefined,
  waitingHash: undefined,
  verified: undefined,
  verifiedAt: undefined,
  committedAt: undefined,
  etag: undefined,
  versionId: undefined,
} as const;

/** The ledger without a database, for tests: every method is one atomic step, with the meaning of the PostgreSQL one. */
export class MemoryLedger implements Ledger {
  readonly #clock: Clock;
  readonly #store: MemoryStore;
  readonly #owner: string;
  readonly #isAlive: (owner: string) => boolean;
  readonly #run: string | undefined;

  constructor(options: MemoryLedgerOptions) {
    this.#clock = options.clock;
    this.#store = options.store ?? new MemoryStore();
    this.#owner = options.owner ?? 'memory';
    this.#isAlive = options.isAlive ?? (() => true);
    this.#run = options.run;
  }

  async discover(scope: Scope, versions: readonly Discovery[]): Promise<DiscoverResult> {
    const added: Delivery[] = [];
    const reopened: Delivery[] = [];
    const known: Delivery[] = [];
    for (const version of unique(scope, versions)) {
      const before = this.#store.rows.get(version.id);
      if (before === undefined) added.push(this.#add(scope, version, 'DISCOVERED', 'discovered'));
      else if (isBack(before, version)) reopened.push(this.#reopen(version, 'DISCOVERED'));
      else known.push(this.#relocate(before, version.location));
    }
    return { added, reopened, known };
  }

  async refuse(
    scope: Scope,
    versions: readonly (SourceVersion & { reason: string })[],
  ): Promise<Delivery[]> {
    const news: Delivery[] = [];
    for (const version of unique(scope, versions.map(refusal))) {
      const before = this.#store.rows.get(version.id);
      if (before === undefined)
        news.push(this.#add(scope, version, 'QUARANTINED', 'quarantined', version.reason));
      else if (isBack(before, version))
        news.push(this.#reopen(version, 'QUARANTINED', version.reason));
    }
    return news;
  }

  #add(
    scope: Scope,
    version: SourceVersion & { id: string; key?: string; group?: string },
    state: DeliveryState,
    event: string,
    reason?: string,
  ): Delivery {
    const { id, path, name, size, mtimeMs, location } = version;
    const row: Row = {
      id,
      path,
      name,
      size,
      mtimeMs,
      location,
      state,
      pipeline: scope.pipeline,
      sink: scope.sink,
      ...LET_GO,
      ...FRESH,
      reason,
      attempt: 0n,
      discovered: ++this.#store.discovered,
      facts: {},
      discoveredAt: this.#now(),
      wantedKey: version.key ?? '',
      group: version.group,
    };
    this.#store.sightings.delete(id);
    this.#store.rows.set(id, row);
    this.#tell(row, event, reason);
    return copy(row);
  }

  #reopen(
    version: SourceVersion & { id: string; key?: string; group?: string },
    state: 'DISCOVERED' | 'QUARANTINED',
    reason?: string,
  ): Delivery {
    const row = this.#start(version.id, state, {
      reason,
      location: version.location,
      wantedKey: version.key ?? '',
      group: version.group,
    });
    this.#tell(row, state === 'DISCOVERED' ? 'reopened' : 'quarantined', reason);
    return copy(row);
  }

  #start(id: string, state: DeliveryState, more: Change): Row {
    const { attempt } = this.#store.rows.get(id)!;
    return this.#set(id, {
      ...FRESH,
      state,
      replaces: undefined,
      attempt: attempt + 1n,
      discovered: ++this.#store.discovered,
      discoveredAt: this.#now(),
      ...more,
    });
  }

  #relocate(row: Row, location: string): Delivery {
    return copy(isOpen(row) ? this.#set(row.id, { location }) : row);
  }

  async claim(request: ClaimRequest): Promise<Delivery | undefined> {
    const row = this.#rows(request)
      .filter((it) => this.#isClaimable(it, request))
      .toSorted(byDiscovery)[0];
    if (row === undefined) return undefined;
    const replaced = row.objectKey === undefined ? this.#toReplace(row, request) : undefined;
    const replaces = row.objectKey === undefined ? replaced?.id : row.replaces;
    const fresh = (): string => this.#freeKey(row.sink, row.wantedKey, request.keyAt, 0);
    const objectKey = row.objectKey ?? (replaced === undefined ? fresh() : undefined);
    const claimed = this.#set(row.id, {
      state: 'CLAIMED',
      attempt: row.attempt + 1n,
      owner: this.#owner,
      replaces,
      objectKey,
      leaseUntil: this.#now(request.leaseMs),
      waitingOn: undefined,
      waitingHash: undefined,
      notBefore: undefined,
      reason: undefined,
    });
    this.#tell(claimed, 'claimed', `by ${this.#owner}`);
    return { ...copy(claimed), objectKey: objectKey ?? replaced?.objectKey };
  }

  async claimMany(request: ClaimRequest, most: number): Promise<Delivery[]> {
    const claims: Delivery[] = [];
    const many = request.onReissue === 'overwrite' ? Math.min(1, most) : most;
    while (claims.length < many) {
      const claim = await this.claim(request);
      if (claim === undefined) break;
      claims.push(claim);
    }
    return claims;
  }

  #isClaimable(row: Row, request: ClaimRequest): boolean {
    if (!isOpen(row) || request.ids?.includes(row.id) === false) return false;
    if (request.exclude?.includes(row.id) || after(row.notBefore, this.#clock)) return false;
    if (row.size > (request.maxBytes ?? Infinity)) return false;
    if (after(row.leaseUntil, this.#clock) && this.#isAlive(row.owner!)) return false;
    if (row.state === 'WAITING' && this.#isHeld(row)) return false;
    return (
      request.onReissue !== 'overwrite' || !this.#elders(row).some((it) => it.waitingOn !== row.id)
    );
  }

  #isHeld({ waitingOn, waitingHash }: Row): boolean {
    const holder = this.#store.rows.get(waitingOn!);
    return holder !== undefined && isOpen(holder) && same(holder.heldRaw, waitingHash);
  }

  #elders(row: Row): readonly Row[] {
    const isElder = (it: Row): boolean =>
      it.path === row.path && isOpen(it) && it.discovered < row.discovered;
    return this.#rows(row).filter(isElder);
  }

  #toReplace(row: Row, { onReissue }: ClaimRequest): Row | undefined {
    if (onReissue !== 'overwrite') return undefined;
    return this.#rows(row)
      .filter((it) => it.path === row.path && isDelivered(it))
      .toSorted(byDiscovery)
      .at(-1);
  }

  #freeKey(sink: string, wanted: string, keyAt: KeyAt, from: number): string {
    const taken = new Set<string | undefined>();
    for (const row of this.#store.rows.values()) if (row.sink === sink) taken.add(row.objectKey);
    for (let index = from; ; index++) {
      const key = keyAt(wanted, index);
      if (!taken.has(key)) return key;
    }
  }

  async renew(claim: Claim, leaseMs: number): Promise<boolean> {
    const row = this.#owned(claim);
    if (row === undefined || row.owner !== this.#owner) return false;
    this.#set(row.id, { leaseUntil: this.#now(leaseMs) });
    return true;
  }

  async fenced(claim: Claim): Promise<void> {
    const change = { state: 'CLAIMED', uploadId: undefined, uploadToken: undefined } as const;
    this.#move(claim, change, 'fenced');
  }

  async streaming(
    claim: Claim,
    upload: { readonly id: string; readonly token: string },
  ): Promise<void> {
    const state = this.#fence(claim).state === 'VERIFIED' ? 'VERIFIED' : 'STREAMING';
    this.#move(claim, { state, uploadId: upload.id, uploadToken: upload.token }, 'streaming');
  }

  async verified(
    claim: Claim,
    content: VerifiedContent,
    options: VerifyOptions,
  ): Promise<VerifiedAnswer> {
    const row = this.#fence(claim);
    const other = options.refuseReissue ? this.#otherContent(row, content) : undefined;
    if (other !== undefined) return { answer: 'reissue', of: other.id };
    const scope = heldScope(row, content, options.duplicates);
    const isHolder = (it: Row): boolean =>
      it.id !== row.id && it.heldScope === scope && same(it.heldRaw, content.rawSha256);
    const holder = this.#rows(row).find(isHolder);
    if (holder !== undefined) return { answer: 'held', holder: holder.id, state: holder.state };
    const facts = { ...row.facts, ...options.facts };
    const held = { heldRaw: content.rawSha256, heldScope: scope };
    const change = { state: 'VERIFIED', verified: content, verifiedAt: this.#now() } as const;
    this.#move(claim, { ...change, ...held, facts }, 'verified');
    return { answer: 'reserved' };
  }

  #otherContent(row: Row, { rawSha256 }: VerifiedContent): Row | undefined {
    return this.#rows(row)
      .filter((it) => it.path === row.path && isDelivered(it))
      .filter((it) => !same(it.verified?.rawSha256, rawSha256))
      .toSorted(byDiscovery)
      .at(-1);
  }

  async wait(claim: Claim, holder: string, rawSha256: Buffer): Promise<void> {
    const change = {
      state: 'WAITING',
      waitingOn: holder,
      waitingHash: rawSha256,
      heldRaw: undefined,
      heldScope: undefined,
      owner: undefined,
      leaseUntil: undefined,
    } as const;
    this.#move(claim, change, 'waiting', `for ${holder}`);
  }

  async duplicate(claim: Claim, holder: string, rawSha256: Buffer): Promise<boolean> {
    const now = this.#store.rows.get(claim.id);
    if (now?.attempt === claim.attempt && now.duplicateOf === holder) return true;
    this.#fence(claim);
    const other = this.#store.rows.get(holder);
    if (other === undefined || !isDelivered(other) || !same(other.heldRaw, rawSha256)) return false;
    const change = { state: 'DUPLICATE_OF', duplicateOf: holder, ...LET_GO } as const;
    this.#move(claim, change, 'duplicate', `of ${holder}`);
    return true;
  }

  async nextKey(claim: Claim, keyAt: KeyAt): Promise<string> {
    const row = this.#fence(claim);
    const replaced = row.replaces === undefined ? undefined : this.#store.rows.get(row.replaces);
    const from = row.objectKey ?? replaced?.objectKey;
    const index = indexAfter(from, row.wantedKey, keyAt);
    const objectKey = this.#freeKey(row.sink, row.wantedKey, keyAt, index);
    const upload = { uploadId: undefined, uploadToken: undefined };
    const change = { state: 'CLAIMED', objectKey, replaces: undefined, ...upload } as const;
    this.#move(claim, change, 'next key', objectKey);
    return objectKey;
  }

  async committed(claim: Claim, commit: CommitRecord): Promise<void> {
    const now = this.#store.rows.get(claim.id);
    if (now?.attempt === claim.attempt && isDelivered(now)) return;
    const row = this.#fence(claim);
    const objectKey = row.objectKey ?? this.#supersede(claim, row.replaces);
    const lease = { owner: undefined, leaseUntil: undefined, reason: undefined };
    const upload = { uploadId: undefined, uploadToken: undefined };
    const { etag, versionId } = commit;
    const state = commit.clean === true ? 'CLEANED' : 'COMMITTED';
    const committed = { state, etag, versionId, committedAt: this.#now() } as const;
    this.#move(claim, { ...committed, ...lease, ...upload, objectKey }, 'committed', commit.how);
    if (commit.clean === true) this.#tell(row, 'cleaned');
    this.#store.outbox.add(`${row.id} committed ${row.discovered}`);
  }

  /** Takes the key from the delivery that is replaced. */
  #supersede(claim: Claim, replaces: string | undefined): string {
    const before = replaces === undefined ? undefined : this.#store.rows.get(replaces);
    if (before?.objectKey === undefined || !isDelivered(before))
      throw new FencedOut(claim.id, claim.attempt);
    const freed = { objectKey: undefined, heldRaw: undefined, heldScope: undefined };
    const reason = `REPLACED_BY ${claim.id}`;
    this.#tell(
      this.#set(before.id, { state: 'SUPERSEDED', reason, ...freed }),
      'replaced',
      `by ${claim.id}`,
    );
    return before.objectKey;
  }

  async exit(claim: Claim, state: 'QUARANTINED' | 'SUPERSEDED', reason: string): Promise<void> {
    const now = this.#store.rows.get(claim.id);
    if (now?.attempt === claim.attempt && now.state === state) return;
    this.#move(claim, { state, ...LET_GO, reason }, state.toLowerCase(), reason);
  }

  async park(claim: Claim, reason: string, notBeforeMs: number): Promise<void> {
    const lease = { owner: undefined, leaseUntil: undefined };
    this.#move(claim, { ...lease, reason, notBefore: this.#now(notBeforeMs) }, 'parked', reason);
  }

  async cleaned(id: string, location: string | undefined): Promise<void> {
    const row = this.#store.rows.get(id);
    if (row?.state !== 'COMMITTED') return;
    const change = { state: 'CLEANED', location: location ?? row.location } as const;
    this.#tell(this.#set(id, change), 'cleaned', location);
  }

  async uncleaned(scope: Scope, limit: number): Promise<Delivery[]> {
    return this.#rows(scope)
      .filter((row) => row.state === 'COMMITTED')
      .toSorted((a, b) => +a.committedAt! - +b.committedAt! || byDiscovery(a, b))
      .slice(0, limit)
      .map(copy);
  }

  async countOpen(scope: Scope): Promise<number> {
    return this.#rows(scope).filter(isOpen).length;
  }

  async find(id: string): Promise<Delivery | undefined> {
    const row = this.#store.rows.get(id);
    return row === undefined ? undefined : copy(row);
  }

  async group(scope: Scope, group: string): Promise<Delivery[]> {
    return this.#rows(scope)
      .filter((row) => row.group === group && isDelivered(row))
      .toSorted(byDiscovery)
      .map(copy);
  }

  async liveUploads(sink: string): Promise<ReadonlySet<string>> {
    const rows = [...this.#store.rows.values()].filter((row) => row.sink === sink && isOpen(row));
    return new Set(rows.flatMap(({ uploadId }) => uploadId ?? []));
  }

  async list({ pipeline, states, match, limit }: ListFilter): Promise<Delivery[]> {
    const pattern = match === undefined ? undefined : globPattern(match);
    const isWanted = (row: Row): boolean =>
      (pipeline === undefined || row.pipeline === pipeline) &&
      (states === undefined || states.includes(row.state)) &&
      (pattern === undefined ||
        [row.id, row.name, row.path, row.objectKey ?? ''].some((text) => pattern.test(text)));
    return [...this.#store.rows.values()]
      .filter(isWanted)
      .toSorted((a, b) => byDiscovery(b, a))
      .slice(0, limit)
      .map(copy);
  }

  async history(id: string): Promise<DeliveryEvent[]> {
    return [...(this.#store.events.get(id) ?? [])];
  }

  async note(id: string, event: string, detail?: string): Promise<void> {
    const row = this.#store.rows.get(id);
    if (row !== undefined) this.#tell(row, event, detail);
  }

  async release(id: string): Promise<boolean> {
    const row = this.#store.rows.get(id);
    if (row?.state !== 'QUARANTINED' || wasRefused(row)) return false;
    this.#tell(this.#start(id, 'DISCOVERED', {}), 'released');
    return true;
  }

  async sight(
    scope: Scope,
    files: readonly SourceVersion[],
    settleMs: number,
  ): Promise<ReadonlySet<string>> {
    const { sightings } = this.#store;
    const given = new Map(files.map((file) => [deliveryId(scope, file), file]));
    const paths = new Set(files.map(({ path }) => placeOf(scope, path)));
    for (const [id, { path }] of sightings)
      if (paths.has(path) && !given.has(id)) sightings.delete(id);
    const now = this.#clock.now();
    for (const [id, { path }] of given)
      if (!this.#isKnown(id) && !sightings.has(id))
        sightings.set(id, { path: placeOf(scope, path), firstSeen: now });
    const isStable = (id: string): boolean =>
      this.#isKnown(id) || sightings.get(id)!.firstSeen <= now - settleMs;
    return new Set([...given.keys()].filter(isStable));
  }

  /** It has a delivery, so it was stable once. */
  #isKnown(id: string): boolean {
    const row = this.#store.rows.get(id);
    return row !== undefined && row.state !== 'SUPERSEDED';
  }

  async lockPlace(place: string): Promise<AsyncDisposable | undefined> {
    const { places } = this.#store;
    const holder = places.get(place);
    if (holder !== undefined && holder !== this.#owner && this.#isAlive(holder)) return undefined;
    places.set(place, this.#owner);
    return {
      [Symbol.asyncDispose]: async () => {
        if (places.get(place) === this.#owner) places.delete(place);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  #rows({ pipeline, sink }: Scope): Row[] {
    const rows = [...this.#store.rows.values()];
    return rows.filter((row) => row.pipeline === pipeline && row.sink === sink);
  }

  #owned(claim: Claim): Row | undefined {
    const row = this.#store.rows.get(claim.id);
    return row !== undefined && row.attempt === claim.attempt && isOpen(row) ? row : undefined;
  }

  #fence(claim: Claim): Row {
    const row = this.#owned(claim);
    if (row === undefined) throw new FencedOut(claim.id, claim.attempt);
    return row;
  }

  #move(claim: Claim, change: Change, event: string, detail?: string): void {
    this.#fence(claim);
    this.#tell(this.#set(claim.id, change), event, detail);
  }

  #set(id: string, change: Change): Row {
    const row = { ...this.#store.rows.get(id)!, ...change } as Row;
    this.#store.rows.set(id, row);
    return row;
  }

  #tell({ id, attempt }: Row, event: string, detail?: string): void {
    const events = this.#store.events.get(id) ?? [];
    this.#store.events.set(id, events);
    events.push({ at: this.#now(), run: this.#run, attempt, event, detail });
  }

  #now(laterMs = 0): Date {
    return new Date(this.#clock.now() + laterMs);
  }
}

function copy({ heldScope: _heldScope, waitingHash: _waitingHash, ...delivery }: Row): Delivery {
  return delivery;
}

function unique<T extends SourceVersion>(
  scope: Scope,
  versions: readonly T[],
): (T & { id: string })[] {
  const found = new Map<string, T & { id: string }>();
  for (const version of versions) {
    const id = deliveryId(scope, version);
    if (!found.has(id)) found.set(id, { ...version, id });
  }
  return [...found.values()];
}

function isDelivered({ state }: Delivery): boolean {
  return state === 'COMMITTED' || state === 'CLEANED';
}

function byDiscovery(a: Delivery, b: Delivery): number {
  return a.discovered < b.discovered ? -1 : 1;
}

function after(moment: Date | undefined, clock: Clock): boolean {
  return moment !== undefined && +moment > clock.now();
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b);
}

function placeOf({ pipeline, sink }: Scope, path: string): string {
  return JSON.stringify([pipeline, sink, path]);
}

function globPattern(match: string): RegExp {
  return new RegExp(`^${match.split('*').map(literally).join('.*')}$`, 's');
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
