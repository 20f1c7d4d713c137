import { type CommitAnswer, type Proof, type Sink, type Staged } from '@octo/plugin-api';
import { inWords, quiet } from '../observations.ts';
import { proofOf } from '../proof-of.ts';

/** A fresh, empty place and a sink on it, with eyes of its own: how a reader sees the place, past the sink. */
export interface SinkUnderTest extends AsyncDisposable {
  /** Created, not started. The suite starts and disposes it. */
  readonly sink: Sink;
  /** The bytes that a reader finds at the key now. */
  readObject(key: string): Promise<Uint8Array | undefined>;
  /** Every key that a reader can see, in any order. */
  listKeys(): Promise<string[]>;
  /** Puts an object there as a stranger would: without the sink, without metadata. */
  placeForeignObject?(key: string, bytes: Uint8Array): Promise<void>;
  /** One more instance on the same place, created and not started: stands for another process. */
  another?(): Sink | Promise<Sink>;
}

export type OpenSink = () => Promise<SinkUnderTest>;

/** Ends a test that the place cannot take, with the reason: vitest's `skip`. */
type Skip = (reason: string) => never;

/** What the suite does with a place over and over; disposes sinks and place. */
export class SinkBench implements AsyncDisposable {
  readonly place: SinkUnderTest;
  readonly sink: Sink;
  readonly #cleanup = new AsyncDisposableStack();

  private constructor(place: SinkUnderTest) {
    this.place = place;
    this.sink = place.sink;
    this.#cleanup.use(place);
    this.#cleanup.defer(() => disposed(place.sink));
  }

  static async open(open: OpenSink): Promise<SinkBench> {
    const bench = new SinkBench(await open());
    await bench.sink.start?.(quiet);
    return bench;
  }

  /** Another process on the same place, or this one when the place cannot be opened twice. */
  async anotherOrSame(): Promise<Sink> {
    return (await this.#another()) ?? this.sink;
  }

  /** Another process on the same place. */
  async another(skip: Skip): Promise<Sink> {
    return (await this.#another()) ?? skip('this place cannot be opened twice');
  }

  async #another(): Promise<Sink | undefined> {
    const sink = await this.place.another?.();
    if (sink === undefined) return undefined;
    this.#cleanup.defer(() => disposed(sink));
    await sink.start?.(quiet);
    return sink;
  }

  async placeForeign(key: string, bytes: Uint8Array, skip: Skip): Promise<void> {
    if (!this.place.placeForeignObject) skip('nobody else can write here');
    await this.place.placeForeignObject?.(key, bytes);
  }

  async etagOf(key: string, skip: Skip): Promise<string> {
    const head = await this.sink.head(key, quiet);
    return head?.etag ?? skip('this sink tells no etags');
  }

  /** Stages all of the bytes in one upload, not committed. Disposed with the bench. */
  async staged(
    key: string,
    bytes: Uint8Array,
    options: { readonly sink?: Sink; readonly metadata?: { readonly [name: string]: string } } = {},
  ): Promise<Staged> {
    const sink = options.sink ?? this.sink;
    const staged = await this.begin(key, options.metadata ?? {}, sink);
    if (bytes.length > 0) await staged.write(bytes, quiet);
    return staged;
  }

  /** An upload without bytes yet. Disposed with the bench. */
  async begin(
    key: string,
    metadata: { readonly [name: string]: string } = {},
    sink: Sink = this.sink,
  ): Promise<Staged> {
    const staged = await sink.stage({ key, metadata }, quiet);
    this.#cleanup.use(staged);
    return staged;
  }

  /** Stages and commits. */
  async put(
    key: string,
    bytes: Uint8Array,
    options: {
      readonly sink?: Sink;
      readonly metadata?: { readonly [name: string]: string };
      readonly replace?: Proof['replace'];
    } = {},
  ): Promise<CommitAnswer> {
    const staged = await this.staged(key, bytes, options);
    return staged.commit(proofOf(bytes, options.replace), quiet);
  }

  /** Every object that a reader sees, in the words of {@link objects}. */
  async visible(): Promise<{ [key: string]: string }> {
    const keys = (await this.place.listKeys()).toSorted();
    const found = keys.map(
      async (key) => [key, inWords(await this.place.readObject(key))] as const,
    );
    return Object.fromEntries(await Promise.all(found));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** Keys with bytes, in a form that compares fast and reads well in a failure. */
export function objects(expected: { readonly [key: string]: Uint8Array }): {
  [key: string]: string;
} {
  return Object.fromEntries(Object.entries(expected).map(([key, bytes]) => [key, inWords(bytes)]));
}

async function disposed(sink: Sink): Promise<void> {
  await sink[Symbol.asyncDispose]?.();
}
