import type { Frames } from './frames.ts';
import { receivedError, type SentError, sendError, sentError } from './sent-error.ts';
import { anything, count, fields, list, oneOf, type Shape, tagged, text } from './shape.ts';
import { WireError } from './wire-value.ts';

/** What the other side may ask for. */
export type Answer = (args: readonly unknown[], signal: AbortSignal) => Promise<unknown>;
/** What the other side may tell, without an answer. */
export type Hear = (args: readonly unknown[]) => void;

export interface ChannelOptions {
  readonly answers: Readonly<Record<string, Answer>>;
  readonly hears: Readonly<Record<string, Hear>>;
  /** Questions of the other side that are answered at the same time; further ones are not read until then. */
  readonly mostAtOnce: number;
  /** Called after each message with its size; the next one is not read before it resolves. */
  readonly pace?: (bytes: number) => Promise<void> | undefined;
}

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly name: string; readonly args: Args }
  | { readonly kind: 'stop'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'value'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'tell'; readonly name: string; readonly args: Args };
type Args = readonly unknown[];

const args = list(anything, 16);
const message: Shape<Message> = tagged<Message>('kind', {
  ask: fields({ kind: oneOf('ask'), id: count, name: text, args }),
  stop: fields({ kind: oneOf('stop'), id: count, error: sentError }),
  value: fields({ kind: oneOf('value'), id: count, value: anything }),
  error: fields({ kind: oneOf('error'), id: count, error: sentError }),
  tell: fields({ kind: oneOf('tell'), name: text, args }),
});

/** The other side is not there any more. */
export class ChannelEnded extends Error {
  override readonly name = 'ChannelEnded';
}

/**
 * Questions and answers over frames, in both directions at once. A question can be stopped; what stopping means is the
 * other side's business, so it still answers.
 */
export class Channel {
  readonly #frames: Frames;
  readonly #options: ChannelOptions;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #answering = new Map<number, AbortController>();
  #room = Promise.withResolvers<void>();
  #lastId = 0;
  #ended: Error | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(frames: Frames, options: ChannelOptions) {
    this.#frames = frames;
    this.#options = options;
    this.ended.catch(() => {});
    void this.#read();
  }

  /** Resolves when the other side has ended; rejects with a {@link WireError} when it wrote what is not accepted. */
  get ended(): Promise<void> {
    return this.#over.promise;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Whether the other side does not take what is written to it. */
  get isFull(): boolean {
    return this.#frames.isFull;
  }

  /**
   * Asks. When the signal is aborted the other side is told; what it answers then is what this settles with.
   * @throws what the other side threw; {@link ChannelEnded}; the signal's reason when it is aborted already
   */
  async ask(name: string, given: Args, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<unknown>();
    this.#asked.set(id, answered);
    const stop = () => this.#write({ kind: 'stop', id, error: sendError(signal?.reason) });
    signal?.addEventListener('abort', stop, { once: true });
    try {
      this.#write({ kind: 'ask', id, name, args: given });
      return await answered.promise;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#asked.delete(id);
    }
  }

  /** Says something that needs no answer. */
  tell(name: string, ...given: Args): void {
    if (this.#ended === undefined) this.#write({ kind: 'tell', name, args: given });
  }

  /** Ends this side; the other one sees its end of the stream. */
  end(): void {
    this.#frames.end();
  }

  #write(one: Message): void {
    this.#frames.write(one);
  }

  async #read(): Promise<void> {
    let size = 0;
    try {
      for await (const value of this.#frames.read((bytes) => (size = bytes))) {
        await this.#take(message(value, 'message'));
        await this.#options.pace?.(size);
      }
      this.#end(new ChannelEnded('the other process has ended'));
    } catch (error) {
      this.#end(error);
    }
  }

  #end(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const wasUnderstood = !(cause instanceof WireError);
    this.#ended = wasUnderstood
      ? new ChannelEnded('the other process has ended', { cause })
      : new ChannelEnded('the other process was not understood', { cause });
    for (const { reject } of this.#asked.values()) reject(this.#ended);
    for (const controller of this.#answering.values()) controller.abort(this.#ended);
    if (wasUnderstood) this.#over.resolve();
    else this.#over.reject(cause);
  }

  async #take(one: Message): Promise<void> {
    if (one.kind === 'value') this.#asked.get(one.id)?.resolve(one.value);
    else if (one.kind === 'error') this.#asked.get(one.id)?.reject(receivedError(one.error));
    else if (one.kind === 'stop') this.#answering.get(one.id)?.abort(receivedError(one.error));
    else if (one.kind === 'tell') known(this.#options.hears, one.name)(one.args);
    else {
      while (this.#answering.size >= this.#options.mostAtOnce) await this.#room.promise;
      void this.#answer(one.id, known(this.#options.answers, one.name), one.args);
    }
  }

  async #answer(id: number, answer: Answer, given: Args): Promise<void> {
    const controller = new AbortController();
    this.#answering.set(id, controller);
    try {
      const value = await answer(given, controller.signal);
      if (this.#ended === undefined) this.#write({ kind: 'value', id, value });
    } catch (error) {
      // Arguments that are not right are no mistake of a caller but of the other side.
      if (error instanceof WireError) this.#end(error);
      else if (this.#ended === undefined)
        this.#write({ kind: 'error', id, error: sendError(error) });
    } finally {
      this.#answering.delete(id);
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    }
  }
}

function known<T>(table: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(table, name)) throw new WireError(`'${name.slice(0, 64)}' is not known here`);
  return table[name]!;
}
