import type { Delivery, Scope } from '../ledger/delivery.ts';
import type { Claim, RunLedger } from '../ledger/ledger.ts';
import { numberedKey } from '../pipeline/object-key.ts';
import { type ArgsOf, type LedgerCall, ledgerCalls } from '../wire/ledger-calls.ts';
import { WireError } from '../wire/wire-value.ts';

type Handlers = { readonly [C in LedgerCall]: (...args: ArgsOf<C>) => Promise<unknown> };

/**
 * The ledger as one run in a worker may use it: only its own pipeline, and only deliveries that it was told of. The code in
 * a worker is not believed; what it writes into the ledger must at least be about its own files.
 */
export class LedgerGate implements AsyncDisposable {
  readonly #ledger: RunLedger;
  readonly #pipeline: string;
  readonly #redact: (text: string) => string;
  readonly #own = new Set<string>();
  readonly #places = new Map<string, AsyncDisposable>();
  readonly #handlers: Handlers = this.#allHandlers();

  constructor(ledger: RunLedger, pipeline: string, redact: (text: string) => string) {
    this.#ledger = ledger;
    this.#pipeline = pipeline;
    this.#redact = redact;
  }

  /** @throws WireError for what a worker may not ask; whatever the ledger throws */
  async ask(name: unknown, args: unknown): Promise<unknown> {
    if (typeof name !== 'string' || !Object.hasOwn(ledgerCalls, name))
      throw new WireError('it asks the ledger for something that is not offered');
    const call = name as LedgerCall;
    const checked = ledgerCalls[call](args, `ledger ${call}`);
    return await (this.#handlers[call] as (...given: readonly unknown[]) => Promise<unknown>)(
      ...checked,
    );
  }

  /** Gives back the locks that the run has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lock of this.#places.values()) await lock[Symbol.asyncDispose]();
    this.#places.clear();
  }

  #allHandlers(): Handlers {
    return { ...this.#listing(), ...this.#moving(), ...this.#looking(), ...this.#locking() };
  }

  #listing() {
    return {
      discover: async (...[scope, versions]: ArgsOf<'discover'>) => {
        const result = await this.#ledger.discover(this.#ours(scope), versions);
        this.#learn([...result.added, ...result.reopened, ...result.known]);
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
      claim: async (...[request]: ArgsOf<'claim'>) => {
        this.#ours(request);
        const claimed = await ledger().claim({ ...request, keyAt: numberedKey });
        if (claimed !== undefined) this.#own.add(claimed.id);
        return claimed;
      },
      claimMany: async (...[request, most]: ArgsOf<'claimMany'>) => {
        this.#ours(request);
        return this.#learn(await ledger().claimMany({ ...request, keyAt: numberedKey }, most));
      },
      renew: async (...[claim, ms]: ArgsOf<'renew'>) => await ledger().renew(this.#mine(claim), ms),
      fenced: async (...[claim]: ArgsOf<'fenced'>) => await ledger().fenced(this.#mine(claim)),
      streaming: async (...[claim, upload]: ArgsOf<'streaming'>) =>
        await ledger().streaming(this.#mine(claim), upload),
      verified: async (...[claim, content, options]: ArgsOf<'verified'>) =>
        await ledger().verified(this.#mine(claim), content, options),
      wait: async (...[claim, holder, hash]: ArgsOf<'wait'>) =>
        await ledger().wait(this.#mine(claim), holder, hash),
      duplicate: async (...[claim, holder, hash]: ArgsOf<'duplicate'>) =>
        await ledger().duplicate(this.#mine(claim), holder, hash),
      nextKey: async (...[claim]: ArgsOf<'nextKey'>) =>
        await ledger().nextKey(this.#mine(claim), numberedKey),
      committed: async (...[claim, commit]: ArgsOf<'committed'>) =>
        await ledger().committed(this.#mine(claim), commit),
      exit: async (...[claim, state, reason]: ArgsOf<'exit'>) =>
        await ledger().exit(this.#mine(claim), state, this.#redact(reason)),
      park: async (...[claim, reason, ms]: ArgsOf<'park'>) =>
        await ledger().park(this.#mine(claim), this.#redact(reason), ms),
      cleaned: async (...[id, location]: ArgsOf<'cleaned'>) =>
        await ledger().cleaned(this.#known(id), location),
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
