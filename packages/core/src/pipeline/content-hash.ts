import { createHash } from 'node:crypto';
import type { Proof } from '@octo/plugin-api';
import { Crc64Nvme } from './crc64nvme.ts';

/** What the host computes over plain bytes while they pass. */
export class ContentHash {
  readonly #sha256 = createHash('sha256');
  readonly #crc = new Crc64Nvme();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#crc.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Ends the computation. */
  proof(): Proof & { readonly sha256: Buffer; readonly crc64nvme: Buffer } {
    return { bytes: this.#bytes, sha256: this.#sha256.digest(), crc64nvme: this.#crc.digest() };
  }
}
