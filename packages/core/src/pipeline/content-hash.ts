import { createHash } from 'node:crypto';
import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import type { Proof } from '@octo/plugin-api';

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
    const crc64nvme = crcToBytes(this.#crc.digest());
    return { bytes: this.#bytes, sha256: this.#sha256.digest(), crc64nvme };
  }
}
