import type {
  Delivery,
  DeliveryEvent,
  DeliveryState,
  Scope,
  SourceVersion,
  VerifiedContent,
} from './delivery.ts';

/**
 * The ledger as a run uses it: which file is where on its way, and who may move it.
 *
 * Every statement that takes a {@link Claim} is fenced: it applies only while the delivery still has the claim's attempt
 * number and an open state, else it throws {@link FencedOut} and has changed nothing. Each is idempotent for the same
 * attempt, so a lost acknowledgement is answered by the same statement again (the implementation does that itself).
 * All times are the database's. There is one in PostgreSQL, and one in memory for tests; one suite holds both.
 */
export interface RunLedger extends AsyncDisposable {
  /**
   * Records stable versions. New ones become DISCOVERED; a SUPERSEDED one that is listed again is reopened with a new
   * discovery number; anything else is left alone, except that an open delivery learns its new `location`.
   */
  discover(scope: Scope, versions: readonly Discovery[]): Promise<DiscoverResult>;
  /** Records versions that must not be opened: QUARANTINED at once with their reason. Answers those that are new. */
  refuse(
    scope: Scope,
    versions: readonly (SourceVersion & { reason: string })[],
  ): Promise<Delivery[]>;

  /** The claimable delivery with the smallest discovery number, claimed; `undefined` when there is none now. */
  claim(request: ClaimRequest): Promise<Claimed | undefined>;
  /**
   * As {@link RunLedger.claim}, but up to `most` at once, in the order of discovery. Fewer when there are fewer now; one at a
   * time with `overwrite`, where each claim decides about the next.
   */
  claimMany(request: ClaimRequest, most: number): Promise<Claimed[]>;
  /** Extends the lease. False when fenced out. */
  renew(claim: Claim, leaseMs: number): Promise<boolean>;
  /** Rule 1 is done: the stored upload is dead and nothing of ours is at the key. Clears upload id and token. */
  fenced(claim: Claim): Promise<void>;
  /** Stores the upload before its first part. The state becomes STREAMING, or stays VERIFIED for a small file. */
  streaming(claim: Claim, upload: { readonly id: string; readonly token: string }): Promise<void>;
  /**
   * The content is proved: state VERIFIED, and the raw hash reserved in the scope of `duplicates`.
   * Answers the other delivery that holds the hash, if one does: then nothing was changed.
   */
  verified(claim: Claim, content: VerifiedContent, options: VerifyOptions): Promise<VerifiedAnswer>;
  /** Own upload is aborted: WAITING for `holder`, without lease. */
  wait(claim: Claim, holder: string, rawSha256: Buffer): Promise<void>;
  /** Own upload is aborted: DUPLICATE_OF. False when the holder is not COMMITTED with this hash now (nothing changed). */
  duplicate(claim: Claim, holder: string, rawSha256: Buffer): Promise<boolean>;
  /** Rule 1 is done and the key is another's: moves to the next free key and answers it. */
  nextKey(claim: Claim, keyAt: KeyAt): Promise<string>;
  /** The object is there, read back or acknowledged: COMMITTED, with its audit and outbox rows, in one transaction. */
  committed(claim: Claim, commit: CommitRecord): Promise<void>;
  /** An exit behind the fence: QUARANTINED or SUPERSEDED. Releases key, hash and lease. */
  exit(claim: Claim, state: 'QUARANTINED' | 'SUPERSEDED', reason: string): Promise<void>;
  /**
   * Gives the lease back and keeps everything else (key, hash, upload id): for credentials, sinks that are down, and
   * the grace of an interrupted completion. Claimable again after `notBeforeMs` from now.
   */
  park(claim: Claim, reason: string, notBeforeMs: number): Promise<void>;
  /** COMMITTED → CLEANED: the vendor's side is done. Idempotent, not fenced by attempt (the row is final). */
  cleaned(id: string, location: string | undefined): Promise<void>;

  /** COMMITTED deliveries of the scope whose vendor side is not done yet, oldest first. */
  uncleaned(scope: Scope, limit: number): Promise<Delivery[]>;
  /** Open deliveries of the scope, by state. */
  countOpen(scope: Scope): Promise<number>;
  find(id: string): Promise<Delivery | undefined>;
  /** Delivered files of a reconcile group (COMMITTED or CLEANED). */
  group(scope: Scope, group: string): Promise<Delivery[]>;
  /** Upload ids that open deliveries of the place name, for the sweeper. */
  liveUploads(sink: string): Promise<ReadonlySet<string>>;

  /** Newest first. */
  list(filter: ListFilter): Promise<Delivery[]>;
  /** Adds a line to a delivery's history. */
  note(id: string, event: string, detail?: string): Promise<void>;
  /** Sightings of files that are not stable yet: first seen with this size and mtime, by the database's clock. */
  sight(
    scope: Scope,
    files: readonly SourceVersion[],
    settleMs: number,
  ): Promise<ReadonlySet<string>>;
  /**
   * Takes the single-writer lock of a place for as long as the returned object lives; `undefined` when another process
   * has it.
   */
  lockPlace(place: string): Promise<AsyncDisposable | undefined>;
}

/** The same, with what people ask of it. */
export interface Ledger extends RunLedger {
  /** Everything that happened to a delivery, oldest first. */
  history(id: string): Promise<DeliveryEvent[]>;
  /** A QUARANTINED delivery becomes DISCOVERED again with a new discovery number. False when it is not quarantined. */
  release(id: string): Promise<boolean>;
}

export type Claim = Pick<Delivery, 'id' | 'attempt'>;
/** A delivery in the hands of an attempt. */
export interface Claimed extends Delivery {
  /** It must not be read: behind the fence it is QUARANTINED with this reason. */
  readonly setAside?: string;
  /** It is looked for and no more: behind the fence it is given back with this reason, unless it is there. */
  readonly onlyLook?: string;
}
/** `key`, `key~2`, … for index 0, 1, … */
export type KeyAt = (key: string, index: number) => string;
export interface Discovery extends SourceVersion {
  readonly group?: string;
  /** The key that it is to get, or the first free one after it; kept in the row as `wantedKey`. */
  readonly key: string;
}

export interface DiscoverResult {
  readonly added: readonly Delivery[];
  readonly reopened: readonly Delivery[];
  /** Known before, whatever their state. */
  readonly known: readonly Delivery[];
}

export interface ClaimRequest extends Scope {
  readonly leaseMs: number;
  /** Only these deliveries. */
  readonly ids?: readonly string[];
  /** Not these: what this run has tried already. */
  readonly exclude?: readonly string[];
  /** Only files of at most this size. */
  readonly maxBytes?: number;
  /** From `wantedKey`, for a delivery that has no key yet. */
  readonly keyAt: KeyAt;
  /** `overwrite`: a version whose path has a COMMITTED version replaces it instead of taking a new key. */
  readonly onReissue: 'version' | 'overwrite' | 'quarantine';
}

export interface VerifyOptions {
  readonly duplicates: 'name' | 'pipeline' | 'off';
  /** Facts of the steps, stored in the same statement. */
  readonly facts: { readonly [name: string]: unknown };
  /** Refuse when the same path was committed with other content: answers `reissue`. */
  readonly refuseReissue: boolean;
}

export type VerifiedAnswer =
  | { readonly answer: 'reserved' }
  | { readonly answer: 'held'; readonly holder: string; readonly state: DeliveryState }
  | { readonly answer: 'reissue'; readonly of: string };

export interface CommitRecord {
  readonly etag?: string | undefined;
  readonly versionId?: string | undefined;
  /** `adopted` when an earlier attempt's object was found by reading back. */
  readonly how: 'acknowledged' | 'adopted';
  /** There is nothing to be done at the vendor: CLEANED at once. */
  readonly clean?: boolean;
}

export interface ListFilter {
  readonly pipeline?: string;
  readonly states?: readonly DeliveryState[];
  /** A name, a path, an id or an object key; `*` matches anything. */
  readonly match?: string;
  readonly limit: number;
}
