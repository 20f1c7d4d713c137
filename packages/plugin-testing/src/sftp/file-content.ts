/** Bytes of any size that need no disk and no memory: the loopback server asks for a range when it is read. */
export interface FileContent {
  readonly size: number;
  /** Exactly the bytes of the range, which lies within the size. */
  read(offset: number, length: number): Uint8Array;
}

/** The given bytes. */
export function contentOf(bytes: string | Uint8Array): FileContent {
  const buffer = Buffer.from(bytes as string);
  return {
    size: buffer.length,
    read: (offset, length) => buffer.subarray(offset, offset + length),
  };
}

/** The same bytes for the same size and seed, different ones at every offset within about a megabyte. */
export function generatedContent(size: number, seed = 1): FileContent {
  const block = noise(seed);
  return {
    size,
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length;) {
        const from = (offset + done) % PERIOD;
        done += block.copy(bytes, done, from, from + Math.min(length - done, PERIOD - from));
      }
      return bytes;
    },
  };
}

/** A prime, so that no block size of a reader can hide a mistake in the offsets. */
const PERIOD = 1_000_003;
const noiseBySeed = new Map<number, Buffer>();

function noise(seed: number): Buffer {
  const known = noiseBySeed.get(seed);
  if (known !== undefined) return known;
  const block = Buffer.allocUnsafe(PERIOD);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < PERIOD; i++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[i] = state >>> 24;
  }
  noiseBySeed.set(seed, block);
  return block;
}
