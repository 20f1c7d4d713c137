/**
 * Many callers, one round trip: what is asked while the one before is under way goes together with the next, in one
 * statement and so in one transaction. Whoever asks is answered when that is durable, and for itself.
 */
export interface GroupCommitOptions<Item, Answer> {
  /** Answers in the order of the items, all or nothing. */
  readonly send: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Whether an error may be about one of the items, so that the others must be asked without it. */
  readonly mayBeOfOne: (error: unknown) => boolean;
  /** Items in one statement. */
  readonly most?: number;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const MOST = 256;

export class GroupCommit<Item, Answer> {
  readonly #options: GroupCommitOptions<Item, Answer>;
  #waiting: Waiting<Item, Answer>[] = [];
  #isSending = false;

  constructor(options: GroupCommitOptions<Item, Answer>) {
    this.#options = options;
  }

  /** Rejects with the error of this item, or of the whole when it concerns all. */
  ask(item: Item): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#isSending) void this.#sendAll();
    return promise;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // Whatever else is answered in this turn of the event loop may want to come along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.most ?? MOST);
      await this.#send(batch);
    }
    this.#isSending = false;
  }

  async #send(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.send(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(answers[index]!));
    } catch (error) {
      if (batch.length > 1 && this.#options.mayBeOfOne(error))
        for (const one of batch) await this.#send([one]);
      else for (const { reject } of batch) reject(error);
    }
  }
}
