/** PutObject, GetObject, HeadObject, DeleteObject and the tags of objects. */
import { randomBytes } from 'node:crypto';
import { readBlobs } from './blob.ts';
import { makeVisible, preconditionFailed, unquoted } from './make-visible.ts';
import { encryptionHeaders, keptHeaders, objectHeaders, userMetadata } from './object-headers.ts';
import { tagsOfHeader, tagsOfXml, tagsToXml } from './object-tags.ts';
import { receiveBody, receiveText } from './receive-body.ts';
import {
  bucketOf,
  discarding,
  keyOf,
  receiveOptions,
  requirePermission,
  xmlAnswer,
  type Answer,
  type Call,
} from './s3-call.ts';
import { checksumHeader } from './s3-checksum.ts';
import { S3Error } from './s3-error.ts';
import { discardBlobs, objectAt, type StoredObject } from './s3-store.ts';

export async function putObject(call: Call): Promise<Answer> {
  const { headers } = call.request;
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const kept = keptHeaders(headers);
  const metadata = userMetadata(headers);
  const tags = tagsOfHeader(headers['x-amz-tagging']);
  const received = await receiveBody(call.request, call.verified, receiveOptions(call));
  const { algorithm, value } = received.checksum;
  const object: StoredObject = {
    key,
    bytes: received.blob.bytes,
    etag: `"${isOpaque(kept) ? opaqueEtag() : (received.md5 ?? opaqueEtag())}"`,
    modifiedMs: call.s3.now(),
    metadata,
    headers: kept,
    checksum: { algorithm, value, type: 'FULL_OBJECT' },
    blobs: [received.blob],
    tags,
  };
  await discarding(received.blob, () => makeVisible(call, bucket, object));
  return {
    status: 200,
    headers: {
      etag: object.etag,
      [checksumHeader(algorithm)]: value,
      'x-amz-checksum-type': 'FULL_OBJECT',
      ...encryptionHeaders(kept),
    },
  };
}

export async function headObject(call: Call): Promise<Answer> {
  const object = seen(call);
  return {
    status: 200,
    headers: {
      ...objectHeaders(object, wantsChecksum(call)),
      'content-length': String(object.bytes),
    },
  };
}

export async function getObject(call: Call): Promise<Answer> {
  const object = seen(call);
  const range = parseRange(call.request.headers['range'], object.bytes);
  const { start, end } = range ?? { start: 0, end: object.bytes };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...objectHeaders(object, wantsChecksum(call) && range === undefined),
      'content-length': String(end - start),
      ...(range && { 'content-range': `bytes ${start}-${end - 1}/${object.bytes}` }),
    },
    body: readBlobs(object.blobs, start, end),
  };
}

export async function deleteObject(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const object = bucket.objects.get(keyOf(call));
  if (object !== undefined) {
    bucket.objects.delete(object.key);
    discardBlobs(object.blobs);
  }
  return { status: 204 };
}

export async function putObjectTagging(call: Call): Promise<Answer> {
  const source = await receiveText(call.request, call.verified);
  const tags = tagsOfXml(source);
  objectAt(bucketOf(call), keyOf(call)).tags = tags;
  return { status: 200 };
}

export async function getObjectTagging(call: Call): Promise<Answer> {
  return xmlAnswer(tagsToXml(objectAt(bucketOf(call), keyOf(call)).tags));
}

/** Objects under KMS have no MD5 as their ETag; nor has anything when no MD5 is computed. */
export function isOpaque(headers: { readonly [name: string]: string }): boolean {
  return headers['x-amz-server-side-encryption'] !== 'AES256';
}

export function opaqueEtag(): string {
  return randomBytes(16).toString('hex');
}

/** The object that a reader asks for, under the reader's conditions. */
function seen(call: Call): StoredObject {
  const { headers, bucket: name } = call.request;
  const bucket = bucketOf(call);
  const object = bucket.objects.get(keyOf(call));
  // Without the right to list, S3 does not tell whether the object exists.
  if (object === undefined) requirePermission(call.s3, 's3:ListBucket', name ?? '');
  const found = objectAt(bucket, keyOf(call));
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (match !== undefined && match !== '*' && unquoted(match) !== unquoted(found.etag)) {
    throw preconditionFailed('If-Match');
  }
  if (
    noneMatch !== undefined &&
    (noneMatch === '*' || unquoted(noneMatch) === unquoted(found.etag))
  ) {
    throw new S3Error(304, 'NotModified', 'Not Modified');
  }
  return found;
}

function wantsChecksum(call: Call): boolean {
  return call.request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
}

/** `undefined` for no range, and for one that is not understood: S3 then answers with everything. */
function parseRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(bytes - Number(match[2]), 0) : Number(match[1]);
  const last =
    match[1] === '' || match[2] === '' ? bytes - 1 : Math.min(Number(match[2]), bytes - 1);
  if (start > last)
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end: last + 1 };
}
