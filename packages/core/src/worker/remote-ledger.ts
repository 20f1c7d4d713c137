import type { Delivery, Scope, SourceVersion } from '../ledger/delivery.ts';
import type {
  Claim,
  ClaimRequest,
  CommitRecord,
  Discovery,
  DiscoverResult,
  ListFilter,
  RunLedger,
  VerifiedAnswer,
} from '../ledger/ledger.ts';
import { type ArgsOf, bareVersion, type LedgerCall, MOST_VERSIONS } from '../wire/ledger-calls.ts';

/** Asks the host's ledger. */
export type AskLedger = (name: LedgerCall, args: readonly unknown[]) => Promise<unknown>;

/** The ledger of the host, for a run in a worker. Keys are numbered by the host: functions do not cross. */
export class RemoteLedger implements RunLedger {
  readonly #send: AskLedger;

  constructor(send: AskLedger) {
    this.#send = send;
  }

  async discover(scope: Scope, versions: readonly Discovery[]): Promise<DiscoverResult> {
    const bare = versions.map((one) => ({
      ...bareVersion(one),
      key: one.key,
      ...(one.group !== undefined && { group: one.group }),
    }));
    const results: DiscoverResult[] = [];
    for (const some of inParts(bare)) {
      results.push((await this.#ask('discover', bareScope(scope), some)) as DiscoverResult);
    }
    return {
      added: results.flatMap(({ added }) => added),
      reopened: results.flatMap(({ reopened }) => reopened),
      known: results.flatMap(({ known }) => known),
    };
  }

  async refuse(
    scope: Scope,
    versions: readonly (SourceVersion & { reason: string })[],
  ): Promise<Delivery[]> {
    const bare = versions.map((one) => ({ ...bareVersion(one), reason: one.reason }));
    const refused: Delivery[] = [];
    for (const some of inParts(bare)) {
      refused.push(...((await this.#ask('refuse', bareScope(scope), some)) as Delivery[]));
    }
    return refused;
  }

  async sight(
    scope: Scope,
    files: readonly SourceVersion[],
    settleMs: number,
  ): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    for (const some of inParts(files.map(bareVersion))) {
      const part = await this.#ask('sight', bareScope(scope), some, settleMs);
      for (const one of part as ReadonlySet<string>) seen.add(one);
    }
    return seen;
  }

  async claim(request: ClaimRequest): Promise<Delivery | undefined> {
    const { keyAt: _, ...rest } = request;
    return (await this.#ask('claim', rest)) as Delivery | undefined;
  }

  async claimMany(request: ClaimRequest, most: number): Promise<Delivery[]> {
    const { keyAt: _, ...rest } = request;
    return (await this.#ask('claimMany', rest, most)) as Delivery[];
  }

  async renew(claim: Claim, leaseMs: number): Promise<boolean> {
    return (await this.#ask('renew', bare(claim), leaseMs)) as boolean;
  }

  async fenced(claim: Claim): Promise<void> {
    await this.#ask('fenced', bare(claim));
  }

  async streaming(claim: Claim, ...[upload]: Rest<'streaming'>): Promise<void> {
    await this.#ask('streaming', bare(claim), upload);
  }

  async verified(claim: Claim, ...[content, options]: Rest<'verified'>): Promise<VerifiedAnswer> {
    return (await this.#ask('verified', bare(claim), content, options)) as VerifiedAnswer;
  }

  async wait(claim: Claim, holder: string, rawSha256: Buffer): Promise<void> {
    await this.#ask('wait', bare(claim), holder, rawSha256);
  }

  async duplicate(claim: Claim, holder: string, rawSha256: Buffer): Promise<boolean> {
    return (await this.#ask('duplicate', bare(claim), holder, rawSha256)) as boolean;
  }

  async nextKey(claim: Claim): Promise<string> {
    return (await this.#ask('nextKey', bare(claim))) as string;
  }

  async committed(claim: Claim, { etag, versionId, how, clean }: CommitRecord): Promise<void> {
    const commit = {
      how,
      ...(etag !== undefined && { etag }),
      ...(versionId !== undefined && { versionId }),
      ...(clean !== undefined && { clean }),
    };
    await this.#ask('committed', bare(claim), commit);
  }

  async exit(claim: Claim, state: 'QUARANTINED' | 'SUPERSEDED', reason: string): Promise<void> {
    await this.#ask('exit', bare(claim), state, reason);
  }

  async park(claim: Claim, reason: string, notBeforeMs: number): Promise<void> {
    await this.#ask('park', bare(claim), reason, notBeforeMs);
  }

  async cleaned(id: string, location: string | undefined): Promise<void> {
    await this.#send('cleaned', location === undefined ? [id] : [id, location]);
  }

  async uncleaned(scope: Scope, limit: number): Promise<Delivery[]> {
    return (await this.#ask('uncleaned', bareScope(scope), limit)) as Delivery[];
  }

  async countOpen(scope: Scope): Promise<number> {
    return (await this.#ask('countOpen', bareScope(scope))) as number;
  }

  async find(id: string): Promise<Delivery | undefined> {
    return (await this.#ask('find', id)) as Delivery | undefined;
  }

  async group(scope: Scope, group: string): Promise<Delivery[]> {
    return (await this.#ask('group', bareScope(scope), group)) as Delivery[];
  }

  async liveUploads(sink: string): Promise<ReadonlySet<string>> {
    return (await this.#ask('liveUploads', sink)) as ReadonlySet<string>;
  }

  async list({ pipeline = '', states, limit }: ListFilter): Promise<Delivery[]> {
    const filter = { pipeline, limit, ...(states !== undefined && { states }) };
    return (await this.#ask('list', filter)) as Delivery[];
  }

  async note(id: string, event: string, detail?: string): Promise<void> {
    await this.#send('note', detail === undefined ? [id, event] : [id, event, detail]);
  }

  async lockPlace(place: string): Promise<AsyncDisposable | undefined> {
    if ((await this.#ask('lockPlace', place)) !== true) return undefined;
    return { [Symbol.asyncDispose]: async () => void (await this.#ask('unlockPlace', place)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It is the host's.
  }

  async #ask<C extends LedgerCall>(name: C, ...args: ArgsOf<C>): Promise<unknown> {
    return await this.#send(name, args);
  }
}

/** The arguments behind the claim. */
type Rest<C extends LedgerCall> = ArgsOf<C> extends readonly [unknown, ...infer R] ? R : never;

function bare({ id, attempt }: Claim): Claim {
  return { id, attempt };
}

function bareScope({ pipeline, sink }: Scope): Scope {
  return { pipeline, sink };
}

function inParts<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += MOST_VERSIONS)
    parts.push(all.slice(at, at + MOST_VERSIONS));
  return parts;
}
