/**
 * Blocks of memory that parts are collected in, used again and again. Chunks that a part would keep until the store has it
 * grow old, and then the garbage collector looks through everything to find that they are dead.
 */
export const BLOCK_BYTES: number = 1024 ** 2;

export class BlockPool {
  readonly #most: number;
  readonly #free: Uint8Array[] = [];

  /** @param most how many bytes may lie idle */
  constructor(most: number) {
    this.#most = Math.ceil(most / BLOCK_BYTES);
  }

  /** A block of {@link BLOCK_BYTES} with whatever was in it. */
  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** The block goes to somebody else: whoever gives it back has no further use for it, nor has anything under way. */
  giveBack(block: Uint8Array): void {
    if (this.#free.length < this.#most) this.#free.push(block);
  }
}
