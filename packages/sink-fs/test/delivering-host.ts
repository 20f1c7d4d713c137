import { proofOf } from '@octo/plugin-testing';
import type { Sink } from '@octo/plugin-api';

const quiet = new AbortController().signal;

/**
 * A host in miniature, for tests of crashes: fence, look, act. What it knows is what a ledger would know after the death of
 * the process. Every attempt reads other bytes, so that a mixture of two attempts is seen.
 */
export class DeliveringHost {
  readonly key: string;
  /** The bytes of each attempt so far. */
  readonly read: string[] = [];
  uploadId: string | undefined;
  /** What the ledger calls delivered. */
  delivered: string | undefined;
  readonly #name: string;
  readonly #sizeHint: number | undefined;

  constructor(key: string, name = 'the', sizeHint?: number) {
    this.#name = name;
    this.#sizeHint = sizeHint;
    this.key = key;
  }

  /** One attempt; throws what the sink throws. */
  async attempt(sink: Sink): Promise<void> {
    if (this.delivered !== undefined) return;
    if (await this.#adopt(sink)) return;
    const content = `${this.#name} attempt ${this.read.length} `.repeat(10 + this.read.length);
    this.read.push(content);
    const object = { key: this.key, metadata: { delivery: 'ours' } };
    await using staged = await sink.stage(
      { ...object, ...(this.#sizeHint !== undefined && { sizeHint: this.#sizeHint }) },
      quiet,
    );
    this.uploadId = staged.id;
    const bytes = Buffer.from(content);
    await staged.write(bytes.subarray(0, 25), quiet);
    await staged.write(bytes.subarray(25), quiet);
    const commit = () => staged.commit(proofOf(bytes), quiet);
    let answer = await commit().catch((error: unknown) => error);
    if (answer instanceof Error) {
      if (await this.#look(sink)) return;
      answer = await commit();
    }
    if ((answer as { outcome: string }).outcome === 'committed') this.delivered = content;
  }

  async #adopt(sink: Sink): Promise<boolean> {
    if (this.uploadId !== undefined) await sink.abort({ key: this.key, id: this.uploadId }, quiet);
    return this.#look(sink);
  }

  async #look(sink: Sink): Promise<boolean> {
    const head = await sink.head(this.key, quiet);
    if (!head) return false;
    if (head.metadata['delivery'] !== 'ours')
      throw new Error('our own file is taken for a stranger');
    this.delivered = this.read.find((content) =>
      Buffer.from(proofOf(Buffer.from(content)).sha256).equals(head.sha256 ?? Buffer.alloc(0)),
    );
    if (this.delivered === undefined) throw new Error('head tells a hash of bytes nobody wrote');
    return true;
  }
}
