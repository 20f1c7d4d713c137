/**
 * A map from bytes to values that makes a string of the bytes only when it has to: the first few keys of a file, which
 * are nearly all there are, are found by comparing bytes.
 */
export class ByteKeys<V> {
  readonly #quick: { readonly bytes: Uint8Array; readonly value: V }[] = [];
  readonly #all = new Map<string, V>();
  readonly #make: (key: string) => V;
  readonly #limit: number;

  /** `make` is asked for the value of a key that is new; after `limit` keys no more are taken in. */
  constructor(limit: number, make: (key: string) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  /** The key's value; `undefined` for a new key when the map is full. */
  get(bytes: Uint8Array, start: number, end: number): V | undefined {
    for (const { bytes: known, value } of this.#quick)
      if (same(known, bytes, start, end)) return value;
    const key = Buffer.from(bytes.subarray(start, end)).toString();
    const found = this.#all.get(key);
    if (found !== undefined || this.#all.size === this.#limit) return found;
    const made = this.#make(key);
    this.#all.set(key, made);
    if (this.#quick.length < QUICK_KEYS)
      this.#quick.push({ bytes: bytes.slice(start, end), value: made });
    return made;
  }

  /** In the order of their first appearance. */
  entries(): IterableIterator<[string, V]> {
    return this.#all.entries();
  }
}

const QUICK_KEYS = 8;

function same(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i += 1) if (known[i] !== bytes[start + i]) return false;
  return true;
}
