/** CreateMultipartUpload, UploadPart, AbortMultipartUpload, ListParts, ListMultipartUploads. */
import { randomBytes } from 'node:crypto';
import { byKey } from './bucket-operations.ts';
import { encryptionHeaders, keptHeaders, userMetadata } from './object-headers.ts';
import { isOpaque, opaqueEtag } from './object-operations.ts';
import { tagsOfHeader } from './object-tags.ts';
import { receiveBody, type ReceivedBody } from './receive-body.ts';
import {
  bucketOf,
  discarding,
  keyOf,
  queryNumber,
  receiveOptions,
  xmlAnswer,
  type Answer,
  type Call,
} from './s3-call.ts';
import {
  checksumAlgorithmOf,
  checksumElement,
  checksumHeader,
  checksumTypeOf,
} from './s3-checksum.ts';
import { S3Error } from './s3-error.ts';
import { discardBlobs, uploadOf, type StoredPart, type StoredUpload } from './s3-store.ts';
import { xmlDocument } from './xml.ts';

/** docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const MAX_PART_BYTES = 5 * 1024 ** 3;

export async function createMultipartUpload(call: Call): Promise<Answer> {
  const { headers } = call.request;
  const bucket = bucketOf(call);
  const named = headers['x-amz-checksum-algorithm'];
  const algorithm = named === undefined ? 'CRC64NVME' : checksumAlgorithmOf(named);
  const metadata = userMetadata(headers);
  const upload: StoredUpload = {
    id: randomBytes(48).toString('base64url'),
    key: keyOf(call),
    startedMs: call.s3.now(),
    metadata: call.s3.dropsMultipartMetadata ? {} : metadata,
    headers: keptHeaders(headers),
    tags: tagsOfHeader(headers['x-amz-tagging']),
    algorithm,
    type: checksumTypeOf(algorithm, headers['x-amz-checksum-type']),
    explicit: named !== undefined,
    parts: new Map(),
  };
  bucket.uploads.set(upload.id, upload);
  return xmlAnswer(
    xmlDocument('InitiateMultipartUploadResult', {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
    }),
    {
      ...encryptionHeaders(upload.headers),
      ...(upload.explicit && {
        'x-amz-checksum-algorithm': algorithm,
        'x-amz-checksum-type': upload.type,
      }),
    },
  );
}

export async function uploadPart(call: Call): Promise<Answer> {
  const number = queryNumber(call, 'partNumber', 0);
  if (number < 1 || number > MAX_PARTS) {
    throw new S3Error(
      400,
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    );
  }
  const id = call.request.query.get('uploadId') ?? '';
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const { algorithm } = uploadOf(bucket, key, id);
  const received = await receiveBody(call.request, call.verified, receiveOptions(call, algorithm));
  const { checksum, blob, md5 } = received;
  return discarding(blob, async () => {
    if (blob.bytes > MAX_PART_BYTES) {
      throw new S3Error(
        400,
        'EntityTooLarge',
        'Your proposed upload exceeds the maximum allowed size',
      );
    }
    // The upload may have been aborted while the body came.
    const upload = uploadOf(bucket, key, id);
    checkAlgorithm(upload, checksum);
    const etag = `"${isOpaque(upload.headers) ? opaqueEtag() : (md5 ?? opaqueEtag())}"`;
    const modifiedMs = call.s3.now();
    const replaced = upload.parts.get(number);
    upload.parts.set(number, { number, bytes: blob.bytes, etag, md5, checksum, modifiedMs, blob });
    if (replaced !== undefined) discardBlobs([replaced.blob]);
    return {
      status: 200,
      headers: {
        etag,
        ...(checksum.declared && { [checksumHeader(algorithm)]: checksum.value }),
        ...encryptionHeaders(upload.headers),
      },
    };
  });
}

/**
 * A part carries the checksum that the upload was created with, and only that. A part of a full-object checksum may
 * come without: S3 then computes its own. As seen on the real one, github.com/versity/versitygw/issues/1342
 */
function checkAlgorithm(upload: StoredUpload, checksum: ReceivedBody['checksum']): void {
  const expected = upload.explicit ? upload.algorithm.toLowerCase() : 'null';
  const actual = checksum.declared ? checksum.algorithm.toLowerCase() : 'null';
  const left = actual === 'null' && upload.type === 'FULL_OBJECT';
  if (expected === actual || left) return;
  throw new S3Error(
    400,
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  );
}

export async function abortMultipartUpload(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const upload = uploadOf(bucket, keyOf(call), call.request.query.get('uploadId') ?? '');
  bucket.uploads.delete(upload.id);
  if (upload.assembling !== true) discardBlobs([...upload.parts.values()].map((part) => part.blob));
  return { status: 204 };
}

export async function listParts(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const upload = uploadOf(bucket, keyOf(call), call.request.query.get('uploadId') ?? '');
  const marker = queryNumber(call, 'part-number-marker', 0);
  const maxParts = Math.min(queryNumber(call, 'max-parts', 1000), 1000);
  const parts = sortedParts(upload).filter((part) => part.number > marker);
  const page = parts.slice(0, maxParts);
  return xmlAnswer(
    xmlDocument('ListPartsResult', {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: maxParts,
      IsTruncated: parts.length > page.length,
      ChecksumAlgorithm: upload.explicit ? upload.algorithm : undefined,
      ChecksumType: upload.explicit ? upload.type : undefined,
      Part: page.map((part) => ({
        PartNumber: part.number,
        LastModified: new Date(part.modifiedMs).toISOString(),
        ETag: part.etag,
        Size: part.bytes,
        [checksumElement(part.checksum.algorithm)]: part.checksum.value,
      })),
    }),
  );
}

export function sortedParts(upload: StoredUpload): StoredPart[] {
  return [...upload.parts.values()].toSorted((a, b) => a.number - b.number);
}

export async function listMultipartUploads(call: Call): Promise<Answer> {
  const { query } = call.request;
  const bucket = bucketOf(call);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = Math.min(queryNumber(call, 'max-uploads', 1000), 1000);
  const isAfter = (upload: StoredUpload): boolean => {
    const order = byKey(upload, { key: keyMarker });
    return order > 0 || (order === 0 && idMarker !== '' && upload.id > idMarker);
  };
  const uploads = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix) && isAfter(upload))
    .toSorted((a, b) => byKey(a, b) || (a.id < b.id ? -1 : 1));
  const page = uploads.slice(0, maxUploads);
  const truncated = uploads.length > page.length;
  const written = (text: string): string =>
    query.get('encoding-type') === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
  return xmlAnswer(
    xmlDocument('ListMultipartUploadsResult', {
      Bucket: bucket.name,
      Prefix: written(prefix),
      KeyMarker: written(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: truncated ? written(page.at(-1)?.key ?? '') : undefined,
      NextUploadIdMarker: truncated ? page.at(-1)?.id : undefined,
      EncodingType: query.get('encoding-type'),
      MaxUploads: maxUploads,
      IsTruncated: truncated,
      Upload: page.map((upload) => ({
        Key: written(upload.key),
        UploadId: upload.id,
        Initiated: new Date(upload.startedMs).toISOString(),
        StorageClass: 'STANDARD',
      })),
    }),
  );
}
