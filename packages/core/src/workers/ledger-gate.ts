import type { Delivery, Scope } from '../ledger/delivery.ts';
import { FencedOut } from '../ledger/fenced-out.ts';
import type { Claim, Claimed, RunLedger } from '../ledger/ledger.ts';
import { numberedKey } from '../pipeline/object-key.ts';
import { type ArgsOf, type LedgerCall, ledgerCalls } from '../wire/ledger-calls.ts';
import { WireError } from '../wire/wire-value.ts';
import type { Hands } from './hands.ts';

export interface LedgerGateOptions {
  readonly pipeline: string;
  readonly redact: (text: string) => string;
  /** Of the process that the run goes on in. */
  readonly hands: Hands;
}

type Handlers = { readonly [C in LedgerCall]: (...args: ArgsOf<C>) => Promise<unknown> };

/**
 * The ledger as one run in a worker may use it: only its own pipeline, and only deliveries that it was told of. The code in
 * a worker is not believed; what it writes into the ledger must at least be about its own files.
 */
export class LedgerGate implements AsyncDisposable {
  readonly #ledger: RunLedger;
  readonly #pipeline: string;
  readonly #redact: (text: string) => string;
  readonly #hands: Hands;
  readonly #own = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  readonly #ended: string[] = [];
  readonly #places = new Map<string, AsyncDisposable>();
  readonly #handlers: Handlers = this.#allHandlers();

  constructor(ledger: RunLedger, { pipeline, redact, hands }: LedgerGateOptions) {
    this.#ledger = ledger;
    this.#pipeline = pipeline;
    this.#redact = redact;
    this.#hands = hands;
    hands.begin();
  }

  /** Ids of the deliveries that the run has brought to an end. */
  get ended(): readonly string[] {
    return this.#ended;
  }

  /** @throws WireError for what a worker may not ask; whatever the ledger throws */
  async ask(name: unknown, args: unknown): Promise<unknown> {
    if (typeof name !== 'string' || !Object.hasOwn(ledgerCalls, name))
      throw new WireError('it asks the ledger for something that is not offered');
    return await this.#hands.during(this.#answer(name as LedgerCall, args));
  }

  /** Gives back the locks that the run has left. What it still had in hand is its own business. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const claim of this.#claims.values()) this.#hands.drop(claim);
    for (const lock of this.#places.values()) await lock[Symbol.asyncDispose]();
    this.#places.clear();
  }

  async #answer(call: LedgerCall, args: unknown): Promise<unknown> {
    const checked = ledgerCalls[call](args, `ledger ${call}`);
    const handler = this.#handlers[call] as (...given: readonly unknown[]) => Promise<unknown>;
    try {
      return await handler(...checked);
    } catch (error) {
      if (error instanceof FencedOut)
        this.#hands.drop({ id: error.delivery, attempt: error.attempt });
      throw error;
    }
  }

  /** The delivery has come to its end. `isRead`: to one that only who has read it comes to. */
  #over(claim: Claim, isRead = true): void {
    this.#hands.drop(claim, { isRead });
    this.#ended.push(claim.id);
  }

  #allHandlers(): Handlers {
    return {
      ...this.#listing(),
      ...this.#moving(),
      ...this.#ending(),
      ...this.#looking(),
      ...this.#locking(),
    };
  }

  #listing() {
    return {
      discover: async (...[scope, versions]: ArgsOf<'discover'>) => {
        const result = await this.#ledger.discover(this.#ours(scope), versions);
        this.#learn([...result.added, ...result.reopened, ...result.known]);
        this.#hands.learn(result.known);
        return result;
      },
      refuse: async (...[scope, versions]: ArgsOf<'refuse'>) => {
        const clean = versions.map((one) => ({ ...one, reason: this.#redact(one.reason) }));
        return this.#learn(await this.#ledger.refuse(this.#ours(scope), clean));
      },
      sight: async (...[scope, files, settleMs]: ArgsOf<'sight'>) =>
        await this.#ledger.sight(this.#ours(scope), files, settleMs),
    };
  }

  #moving() {
    const ledger = () => this.#ledger;
    return {
      claim: async (...[request]: ArgsOf<'claim'>) => (await this.#claim(request, 1))[0],
      claimMany: async (...[request, most]: ArgsOf<'claimMany'>) =>
        await this.#claim(request, most),
      renew: async (...[claim, ms]: ArgsOf<'renew'>) => {
        const isOurs = await ledger().renew(this.#mine(claim), ms);
        if (!isOurs) this.#hands.drop(claim);
        return isOurs;
      },
      fenced: async (...[claim]: ArgsOf<'fenced'>) => await ledger().fenced(this.#mine(claim)),
      streaming: async (...[claim, upload]: ArgsOf<'streaming'>) =>
        await ledger().streaming(this.#mine(claim), upload),
      verified: async (...[claim, content, options]: ArgsOf<'verified'>) =>
        await ledger().verified(this.#mine(claim), content, options),
      nextKey: async (...[claim]: ArgsOf<'nextKey'>) =>
        await ledger().nextKey(this.#mine(claim), numberedKey),
      cleaned: async (...[id, location]: ArgsOf<'cleaned'>) =>
        await ledger().cleaned(this.#known(id), location),
    };
  }

  /** What takes a delivery out of the run's hands. */
  #ending() {
    const ledger = () => this.#ledger;
    return {
      wait: async (...[claim, holder, hash]: ArgsOf<'wait'>) => {
        await ledger().wait(this.#mine(claim), holder, hash);
        this.#hands.drop(claim);
      },
      park: async (...[claim, reason, ms]: ArgsOf<'park'>) => {
        await ledger().park(this.#mine(claim), this.#redact(reason), ms);
        this.#hands.drop(claim);
      },
      duplicate: async (...[claim, holder, hash]: ArgsOf<'duplicate'>) => {
        const isOne = await ledger().duplicate(this.#mine(claim), holder, hash);
        if (isOne) this.#over(claim);
        return isOne;
      },
      committed: async (...[claim, commit]: ArgsOf<'committed'>) => {
        await ledger().committed(this.#mine(claim), commit);
        this.#over(claim);
      },
      exit: async (...[claim, state, reason]: ArgsOf<'exit'>) => {
        await ledger().exit(this.#mine(claim), state, this.#redact(reason));
        this.#over(claim, state === 'QUARANTINED');
      },
    };
  }

  #looking() {
    return {
      uncleaned: async (...[scope, limit]: ArgsOf<'uncleaned'>) =>
        this.#learn(await this.#ledger.uncleaned(this.#ours(scope), limit)),
      countOpen: async (...[scope]: ArgsOf<'countOpen'>) =>
        await this.#ledger.countOpen(this.#ours(scope)),
      find: async (...[id]: ArgsOf<'find'>) => await this.#ledger.find(this.#known(id)),
      group: async (...[scope, group]: ArgsOf<'group'>) =>
        this.#learn(await this.#ledger.group(this.#ours(scope), group)),
      liveUploads: async (...[sink]: ArgsOf<'liveUploads'>) => await this.#ledger.liveUploads(sink),
      list: async (...[filter]: ArgsOf<'list'>) => {
        this.#ours({ pipeline: filter.pipeline, sink: '' });
        return this.#learn(await this.#ledger.list(filter));
      },
      note: async (...[id, event, detail]: ArgsOf<'note'>) =>
        await this.#ledger.note(this.#known(id), event, detail && this.#redact(detail)),
    };
  }

  #locking() {
    return {
      lockPlace: async (...[place]: ArgsOf<'lockPlace'>) => {
        const lock = this.#places.has(place) ? undefined : await this.#ledger.lockPlace(place);
        if (lock !== undefined) this.#places.set(place, lock);
        return lock !== undefined;
      },
      unlockPlace: async (...[place]: ArgsOf<'unlockPlace'>) => {
        const lock = this.#places.get(place);
        this.#places.delete(place);
        await lock?.[Symbol.asyncDispose]();
      },
    };
  }

  async #claim(...[request, most]: ArgsOf<'claimMany'>): Promise<readonly Claimed[]> {
    const asked = { ...this.#ours(request), keyAt: numberedKey };
    const claimed = await this.#hands.claim(this.#ledger, asked, most);
    for (const claim of claimed) {
      this.#own.add(claim.id);
      this.#claims.set(claim.id, claim);
    }
    return claimed;
  }

  #ours<S extends Scope>(scope: S): S {
    if (scope.pipeline === this.#pipeline) return scope;
    throw new WireError(`it speaks for pipeline '${scope.pipeline.slice(0, 64)}', not its own`);
  }

  #mine(claim: Claim): Claim {
    this.#known(claim.id);
    return claim;
  }

  #known(id: string): string {
    if (this.#own.has(id)) return id;
    throw new WireError('it names a delivery that is not its own');
  }

  #learn(deliveries: readonly Delivery[]): readonly Delivery[] {
    for (const { id } of deliveries) this.#own.add(id);
    return deliveries;
  }
}
