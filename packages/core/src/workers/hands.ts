import type { Delivery } from '../ledger/delivery.ts';
import type { Claim, Claimed, ClaimRequest, RunLedger } from '../ledger/ledger.ts';
import { convictionText, deadlyText, markText } from './mark.ts';
import type { Suspects } from './suspects.ts';

/** How long one is left alone that can be neither read nor set aside. Milliseconds. */
const LEFT_ALONE_MS = 86_400_000;

interface Held {
  readonly claim: Claimed;
  /** Through which it was claimed. */
  readonly ledger: RunLedger;
  /** The process had ended before it could hear of it. */
  readonly isLate: boolean;
}

/**
 * What one process has in hand, over all its runs. Decides what it may have: a suspect with nothing beside it, as long as
 * there are suspects; else as much as it asks for.
 */
export class Hands {
  readonly #suspects: Suspects;
  readonly #held = new Map<string, Held>();
  readonly #questions = new Set<Promise<unknown>>();
  /** Suspects that cannot be had now: another host has them, or they wait for something. */
  readonly #passedOver = new Set<string>();
  #claiming = 0;
  #isReserving = false;
  /** What is in hand with nothing beside it. */
  #alone: string | undefined;
  #isOver = false;

  constructor(suspects: Suspects) {
    this.#suspects = suspects;
  }

  /** A run begins: what could not be had may be free by now. */
  begin(): void {
    this.#passedOver.clear();
  }

  /** What the vendor lists and the ledger knows. */
  learn(known: readonly Delivery[]): void {
    this.#suspects.learn(known);
  }

  /** Answers what `question` does; {@link Hands.end} waits for it. */
  async during<T>(question: Promise<T>): Promise<T> {
    this.#questions.add(question);
    try {
      return await question;
    } finally {
      this.#questions.delete(question);
    }
  }

  /** As `claimMany`. Nothing while a suspect is alone, or before one can be. */
  async claim(ledger: RunLedger, request: ClaimRequest, most: number): Promise<readonly Claimed[]> {
    if (this.#alone !== undefined || this.#isReserving || most < 1) return [];
    const wanted = this.#suspects.among(request).filter((id) => !this.#passedOver.has(id));
    const looked = await this.#look(ledger, request, most, wanted);
    if (looked.length > 0) return looked;
    const ready = wanted.filter((id) => !this.#suspects.isUnclear(id));
    if (ready.length > 0) {
      // A room for small files only would take a large one for gone.
      if (this.#isBusy || request.maxBytes !== undefined) return [];
      const alone = await this.#reserve(ledger, request, ready);
      if (alone !== undefined) return [alone];
    }
    return await this.#others(ledger, request, most);
  }

  /** It is in hand no more. `isRead`: it came to an end that only one comes to who has read it. */
  drop({ id, attempt }: Claim, end?: { readonly isRead: boolean }): void {
    const held = this.#held.get(id);
    if (held?.claim.attempt !== attempt) return;
    this.#held.delete(id);
    if (end !== undefined && end.isRead && held.claim.setAside === undefined)
      this.#suspects.passed(id);
    else if (end !== undefined) this.#suspects.gone(id);
    if (this.#alone !== id) return;
    this.#alone = undefined;
    // One may have waited for this one's content.
    this.#passedOver.clear();
  }

  /**
   * The process has ended and everything it said was heard. Answers what it may have died of, as it is now that the ledger
   * is through: what it was reading; only without that, what it was looking for.
   */
  async end(): Promise<readonly Delivery[]> {
    this.#isOver = true;
    while (this.#questions.size > 0) await Promise.allSettled(this.#questions);
    const begun = [...this.#held.values()].filter(({ isLate }) => !isLate);
    const read = begun.filter(({ claim }) => claim.onlyLook === undefined);
    return await Promise.all((read.length > 0 ? read : begun).map(asItIsNow));
  }

  /** Gives back what is in hand, as the attempt could have done itself. `why`: instead of the marks of suspects. */
  async giveBack(why?: string): Promise<void> {
    const others = this.#held.size - 1;
    const given = [...this.#held.values()].map(async ({ claim, ledger, isLate }) => {
      const { reason, forMs } = this.#parting(claim.id, others);
      await ledger.park(claim, isLate ? NOT_BEGUN : (why ?? reason), why === undefined ? forMs : 0);
    });
    // One that cannot be given back is claimable when its lease is over.
    await Promise.allSettled(given);
  }

  /** Something is read, or about to be. Who only looks, and waits for the sink to be sure, is no company. */
  get #isBusy(): boolean {
    const isRead = ({ claim }: Held) => claim.onlyLook === undefined;
    return this.#claiming > 0 || [...this.#held.values()].some(isRead);
  }

  /** Many at a time: each may have to wait for minutes. */
  async #look(
    ledger: RunLedger,
    request: ClaimRequest,
    most: number,
    wanted: readonly string[],
  ): Promise<readonly Claimed[]> {
    const ids = wanted.filter((id) => this.#suspects.isUnclear(id));
    if (ids.length === 0) return [];
    const { maxBytes: _, ...anySize } = request;
    const claims = await ledger.claimMany({ ...anySize, ids }, most);
    if (claims.length === 0) for (const id of ids) this.#passedOver.add(id);
    return claims.map((claim) => {
      this.#suspects.looking(claim.id);
      const mark = this.#suspects.mark(claim.id);
      return this.#take(ledger, { ...claim, ...(mark && { onlyLook: markText(mark, 0) }) });
    });
  }

  async #reserve(
    ledger: RunLedger,
    request: ClaimRequest,
    wanted: readonly string[],
  ): Promise<Claimed | undefined> {
    this.#isReserving = true;
    try {
      const claimed =
        (this.#suspects.wantsWitness(wanted[0]!)
          ? (await this.#others(ledger, request, 1))[0]
          : undefined) ?? (await this.#suspect(ledger, request, wanted));
      this.#alone = claimed?.id;
      return claimed;
    } finally {
      this.#isReserving = false;
    }
  }

  async #suspect(
    ledger: RunLedger,
    request: ClaimRequest,
    wanted: readonly string[],
  ): Promise<Claimed | undefined> {
    for (const id of wanted) {
      const [claim] = await ledger.claimMany({ ...request, ids: [id] }, 1);
      if (claim !== undefined) return this.#take(ledger, await this.#judged(ledger, claim));
      this.#passedOver.add(id);
    }
    return undefined;
  }

  async #others(
    ledger: RunLedger,
    request: ClaimRequest,
    most: number,
  ): Promise<readonly Claimed[]> {
    const { ids } = this.#suspects;
    const exclude = ids.length === 0 ? request.exclude : [...(request.exclude ?? []), ...ids];
    this.#claiming++;
    try {
      const claims = await ledger.claimMany({ ...request, ...(exclude && { exclude }) }, most);
      return claims.map((claim) => this.#take(ledger, claim));
    } finally {
      this.#claiming--;
    }
  }

  #take(ledger: RunLedger, claim: Claimed): Claimed {
    this.#held.set(claim.id, { claim, ledger, isLate: this.#isOver });
    return claim;
  }

  async #judged(ledger: RunLedger, claim: Claimed): Promise<Claimed> {
    const isOnlyOne = (await ledger.countOpen(claim)) === 1;
    const mark = this.#suspects.mark(claim.id);
    if (mark === undefined || !this.#suspects.convict(claim.id, isOnlyOne)) return claim;
    return { ...claim, setAside: convictionText(claim.name, mark) };
  }

  #parting(id: string, others: number): { readonly reason: string; readonly forMs: number } {
    const mark = this.#suspects.mark(id);
    if (mark === undefined) return { reason: 'its worker ended', forMs: 0 };
    return this.#suspects.isDeadly(id)
      ? { reason: deadlyText(mark), forMs: LEFT_ALONE_MS }
      : { reason: markText(mark, others), forMs: 0 };
  }
}

const NOT_BEGUN = 'its worker ended before it could begin';

/** As far as the ledger answers. */
async function asItIsNow({ claim, ledger }: Held): Promise<Delivery> {
  return (await ledger.find(claim.id).catch(() => undefined)) ?? claim;
}
