/** Headers that a client gives with an object and gets back with it. */
import { S3Error } from './s3-error.ts';
import { checksumHeader } from './s3-checksum.ts';
import type { Headers, StoredObject } from './s3-store.ts';

const KEPT = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
];
const META = 'x-amz-meta-';
/** docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;

/** @throws S3Error InvalidArgument for an encryption that does not exist */
export function keptHeaders(headers: Headers): Headers {
  const encryption = headers['x-amz-server-side-encryption'] ?? 'AES256';
  const kmsKey = headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(encryption)) {
    throw new S3Error(400, 'InvalidArgument', 'The encryption method specified is not supported');
  }
  if (kmsKey !== undefined && encryption === 'AES256') {
    throw new S3Error(
      400,
      'InvalidArgument',
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    );
  }
  const kept = KEPT.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    'content-type': 'binary/octet-stream',
    ...Object.fromEntries(kept),
    'x-amz-server-side-encryption': encryption,
  };
}

/** Only the encryption, as most answers repeat it. */
export function encryptionHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side-encryption')),
  );
}

/** @throws S3Error MetadataTooLarge */
export function userMetadata(headers: Headers): Headers {
  const given = Object.entries(headers).filter(([name]) => name.startsWith(META));
  const metadata = given.map(([name, value]) => [name.slice(META.length), value] as const);
  const bytes = metadata.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MAX_METADATA_BYTES) {
    throw new S3Error(
      400,
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    );
  }
  return Object.fromEntries(metadata);
}

/** What GET and HEAD say about an object. */
export function objectHeaders(object: StoredObject, withChecksum: boolean): Headers {
  const { checksum } = object;
  const tags = Object.keys(object.tags).length;
  return {
    ...object.headers,
    ...Object.fromEntries(
      Object.entries(object.metadata).map(([name, value]) => [META + name, value]),
    ),
    ...(withChecksum && {
      [checksumHeader(checksum.algorithm)]: checksum.value,
      'x-amz-checksum-type': checksum.type,
    }),
    ...(tags > 0 && { 'x-amz-tagging-count': String(tags) }),
    etag: object.etag,
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
}
