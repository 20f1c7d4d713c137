/**
 * Reads a stream of chunks piece by piece: look ahead, take exactly so many bytes, take whatever is there.
 * Chunks are handed on without copying where that is possible.
 */
export class ByteReader implements AsyncDisposable {
  /** Bytes taken so far. */
  taken = 0;
  /** What the source threw, so that a step can tell it from what it found wrong itself. */
  sourceError: { readonly error: unknown } | undefined;
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `count` bytes without taking them; fewer when the stream ends before. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#heldBytes < count && (await this.#pull())) {
      // #pull holds what it got
    }
    this.#join();
    return (this.#held[0] ?? new Uint8Array()).subarray(0, count);
  }

  /** The next `count` bytes; fewer when the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#drop(bytes.length);
    return bytes;
  }

  /** Some bytes, at least one and at most `max`; `undefined` at the end of the stream. */
  async some(max = Infinity): Promise<Uint8Array | undefined> {
    if (this.#heldBytes === 0 && !(await this.#pull())) return undefined;
    const bytes = (this.#held[0] as Uint8Array).subarray(0, max);
    this.#drop(bytes.length);
    return bytes;
  }

  /** Gives back the last bytes that were taken. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.taken -= bytes.length;
    this.#held.unshift(bytes);
    this.#heldBytes += bytes.length;
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.some(); chunk !== undefined; chunk = await this.some()) yield chunk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }

  async #pull(): Promise<boolean> {
    while (!this.#ended) {
      const next = await this.#next();
      if (next.done === true) {
        this.#ended = true;
      } else if (next.value.length > 0) {
        this.#held.push(next.value);
        this.#heldBytes += next.value.length;
        return true;
      }
    }
    return false;
  }

  async #next(): Promise<IteratorResult<Uint8Array, unknown>> {
    try {
      return await this.#source.next();
    } catch (error) {
      this.#ended = true;
      this.sourceError = { error };
      throw error;
    }
  }

  #join(): void {
    if (this.#held.length > 1) this.#held = [Buffer.concat(this.#held)];
  }

  #drop(count: number): void {
    this.taken += count;
    this.#heldBytes -= count;
    const first = this.#held[0];
    if (first === undefined) return;
    if (first.length > count) this.#held[0] = first.subarray(count);
    else this.#held.shift();
  }
}
