/** What a handler of an operation is given, and what it answers. */
import type { Blob, BlobStore } from './blob.ts';
import type { ReceiveOptions } from './receive-body.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { Bucket, Headers, S3Store, StoredUpload } from './s3-store.ts';
import type { VerifiedSignature } from './sigv4.ts';

/** How a store treats `If-None-Match` and `If-Match` on writes. */
export type ConditionalWrites =
  /** As S3: checked and applied in one step. */
  | 'atomic'
  /** Checked, and applied a moment later: of eight at once, all win. As Ceph RGW 16.2. */
  | 'racy'
  /** Not looked at. */
  | 'ignored'
  /** 501. */
  | 'refused';

export interface S3Behaviour {
  readonly region: string;
  readonly now: () => number;
  readonly blobs: BlobStore;
  readonly store: S3Store;
  readonly minPartBytes: number;
  readonly conditionalWrites: ConditionalWrites;
  /** What a Complete of a completed upload answers. */
  readonly completedAgain: 'same-answer' | 'NoSuchUpload';
  /** `refused` as older compatible stores: 501 for every checksum header and trailer. */
  readonly checksums: 'validated' | 'refused';
  /** As Google's S3 interface in one of its modes: metadata of multipart uploads is lost. */
  readonly dropsMultipartMetadata: boolean;
  /** Whether ETags are MD5s, as S3 has them without KMS. */
  readonly md5Etags: boolean;
  /** Names of permissions such as `s3:PutObject` that are missing. */
  readonly denied: ReadonlySet<string>;
}

export interface Call {
  readonly request: S3Request;
  readonly verified: VerifiedSignature;
  readonly s3: S3Behaviour;
  /** Waits when a fault lets a Complete take long. Whether an abort meanwhile comes too late. */
  readonly assemble: (upload: StoredUpload) => Promise<boolean>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: string | AsyncIterable<Uint8Array>;
}

export function xmlAnswer(body: string, headers: Headers = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function bucketOf(call: Call): Bucket {
  return call.s3.store.bucket(call.request.bucket ?? '');
}

/** The key of the call. S3 takes up to 1024 bytes. @throws S3Error KeyTooLongError */
export function keyOf(call: Call): string {
  const key = call.request.key ?? '';
  if (Buffer.byteLength(key) > 1024) {
    throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
  }
  return key;
}

export function queryNumber(call: Call, name: string, otherwise: number): number {
  const given = call.request.query.get(name);
  if (given === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(given)) {
    throw new S3Error(
      400,
      'InvalidArgument',
      `Provided ${name} not an integer or within integer range`,
    );
  }
  return Number(given);
}

/** @throws S3Error AccessDenied */
export function requirePermission(s3: S3Behaviour, permission: string, resource: string): void {
  if (!s3.denied.has(permission)) return;
  throw new S3Error(
    403,
    'AccessDenied',
    `User: arn:aws:iam::000000000000:user/octo is not authorized to perform: ${permission} on resource: "arn:aws:s3:::${resource}" because no identity-based policy allows the ${permission} action`,
  );
}

export function receiveOptions(call: Call, fallback?: ReceiveOptions['fallback']): ReceiveOptions {
  return { blobs: call.s3.blobs, md5: call.s3.md5Etags, fallback };
}

export async function discarding<T>(blob: Blob, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await blob.discard();
    throw error;
  }
}
