/** The simulator's state. Every change is made between two awaits, so that it is atomic. */
import type { Blob } from './blob.ts';
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from './s3-checksum.ts';
import { noSuchKey, noSuchUpload, S3Error } from './s3-error.ts';

export type Headers = { readonly [name: string]: string };

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** User metadata without `x-amz-meta-`. */
  readonly metadata: Headers;
  /** Headers that come back as they were given: content type, encryption. */
  readonly headers: Headers;
  readonly checksum: ObjectChecksum;
  readonly blobs: readonly Blob[];
  tags: Headers;
}

export interface StoredPart {
  readonly number: number;
  readonly bytes: number;
  readonly etag: string;
  /** Hex; undefined when ETags are opaque. */
  readonly md5: string | undefined;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  readonly modifiedMs: number;
  readonly blob: Blob;
}

export interface StoredUpload {
  readonly id: string;
  readonly key: string;
  readonly startedMs: number;
  readonly metadata: Headers;
  readonly headers: Headers;
  readonly tags: Headers;
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Whether the client named the algorithm: every part must then carry it. */
  readonly explicit: boolean;
  readonly parts: Map<number, StoredPart>;
  /** A Complete is at work on the parts: an abort must not take their bytes away. */
  assembling?: boolean;
}

/** What a Complete has answered, kept to answer it again. */
export interface Completed {
  readonly key: string;
  readonly object: StoredObject;
}

export interface Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, StoredUpload>;
  readonly completed: Map<string, Completed>;
}

export class S3Store {
  readonly buckets = new Map<string, Bucket>();

  createBucket(name: string, createdMs: number): Bucket {
    const bucket: Bucket = {
      name,
      createdMs,
      objects: new Map(),
      uploads: new Map(),
      completed: new Map(),
    };
    this.buckets.set(name, bucket);
    return bucket;
  }

  /** @throws S3Error NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist', {
      BucketName: name,
    });
  }
}

/** @throws S3Error NoSuchKey */
export function objectAt(bucket: Bucket, key: string): StoredObject {
  const object = bucket.objects.get(key);
  if (object === undefined) throw noSuchKey(key);
  return object;
}

/** @throws S3Error NoSuchUpload */
export function uploadOf(bucket: Bucket, key: string, id: string): StoredUpload {
  const upload = bucket.uploads.get(id);
  if (upload === undefined || upload.key !== key) throw noSuchUpload(id);
  return upload;
}

/** Puts an object into its place; what was there is forgotten. */
export function replaceObject(bucket: Bucket, object: StoredObject): void {
  const previous = bucket.objects.get(object.key);
  bucket.objects.set(object.key, object);
  if (previous !== undefined) discardBlobs(previous.blobs);
}

export function discardBlobs(blobs: readonly Blob[]): void {
  for (const blob of blobs) void blob.discard();
}
