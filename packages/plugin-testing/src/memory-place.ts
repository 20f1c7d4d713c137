import { createHash, randomUUID } from 'node:crypto';
import type { CommitAnswer, ObjectToStage, Proof, Upload, VisibleObject } from '@octo/plugin-api';
import { PluginError } from '@octo/plugin-api';
import { proofOf } from './proof-of.ts';

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly metadata: { readonly [name: string]: string };
  readonly etag: string;
  readonly facts: { readonly [name: string]: string };
}

interface StoredUpload {
  readonly id: string;
  readonly object: ObjectToStage;
  readonly startedMs: number;
  readonly chunks: Uint8Array[];
}

/** What a {@link MemorySink} writes to: survives the sink, and can be shared by several of them. */
export class MemoryPlace {
  readonly place: string = `memory://${randomUUID()}`;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, StoredUpload>();
  readonly #late: (() => void)[] = [];
  #ids = 0;

  /** Every visible key, sorted. */
  keys(): string[] {
    return [...this.#objects.keys()].toSorted();
  }

  /** The bytes a reader would see. */
  read(key: string): Uint8Array | undefined {
    return this.#objects.get(key)?.bytes;
  }

  /** What was attached to the object with `annotate`. */
  facts(key: string): { readonly [name: string]: string } | undefined {
    return this.#objects.get(key)?.facts;
  }

  /** Puts an object there as a stranger would, over whatever is there. */
  placeForeign(key: string, bytes: Uint8Array): void {
    this.#objects.set(key, { bytes, metadata: {}, etag: randomUUID(), facts: {} });
  }

  /** Takes an object away, as a consumer might. */
  remove(key: string): void {
    this.#objects.delete(key);
  }

  /** Applies, in order, the requests that were sent but have not arrived yet. */
  applyLate(): void {
    for (const apply of this.#late.splice(0)) apply();
  }

  /** How many requests are still on their way. */
  get late(): number {
    return this.#late.length;
  }

  /** @internal */
  delay(apply: () => void): void {
    this.#late.push(apply);
  }

  /** @internal */
  begin(object: ObjectToStage, startedMs: number): string {
    this.#ids += 1;
    const id = `upload-${this.#ids}`;
    this.#uploads.set(id, { id, object, startedMs, chunks: [] });
    return id;
  }

  /** @internal */
  append(id: string, chunk: Uint8Array): void {
    const upload = this.#uploads.get(id);
    if (!upload) throw new PluginError('not_found', `upload '${id}' is not known: it was aborted`);
    upload.chunks.push(chunk);
  }

  /** @internal `staged`: what to complete although the upload is not known any more, as a slow store would. */
  complete(id: string, proof: Proof, staged = this.#uploads.get(id)): CommitAnswer {
    if (!staged) return { outcome: 'gone' };
    const { key, metadata } = staged.object;
    const bytes = Buffer.concat(staged.chunks);
    expectSame(key, bytes, proof);
    if (this.#objects.get(key)?.etag !== proof.replace?.etag) return { outcome: 'exists' };
    const etag = `${id}-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    this.#objects.set(key, { bytes, metadata, etag, facts: {} });
    this.#uploads.delete(id);
    return { outcome: 'committed', etag };
  }

  /** @internal */
  upload(id: string): StoredUpload | undefined {
    return this.#uploads.get(id);
  }

  /** Forgets the upload, as an abort by anybody does. */
  abort(id: string): void {
    this.#uploads.delete(id);
  }

  head(key: string): VisibleObject | undefined {
    const object = this.#objects.get(key);
    if (!object) return undefined;
    const { bytes, metadata, etag } = object;
    const { sha256, crc64nvme } = proofOf(bytes);
    return { bytes: bytes.length, metadata, etag, sha256, crc64nvme };
  }

  /** @internal */
  annotate(key: string, facts: { readonly [name: string]: string }): void {
    const object = this.#objects.get(key);
    if (!object) throw new PluginError('not_found', `no object at '${key}'`);
    this.#objects.set(key, { ...object, facts: { ...object.facts, ...facts } });
  }

  /** Uploads that were begun and neither committed nor aborted. */
  uploads(): (Upload & { readonly startedMs: number })[] {
    return [...this.#uploads.values()].map(({ id, object, startedMs }) => ({
      id,
      key: object.key,
      startedMs,
    }));
  }
}

function expectSame(key: string, bytes: Uint8Array, proof: Proof): void {
  const own = proofOf(bytes);
  const same =
    own.bytes === proof.bytes &&
    Buffer.from(own.sha256).equals(proof.sha256) &&
    Buffer.from(own.crc64nvme).equals(proof.crc64nvme);
  if (!same) throw new PluginError('integrity', `'${key}' has other bytes than the proof says`);
}
