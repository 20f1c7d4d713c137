/** CompleteMultipartUpload: every part named, every claim checked, one conditional step. */
import { createHash } from 'node:crypto';
import { makeVisible, unquoted } from './make-visible.ts';
import { encryptionHeaders } from './object-headers.ts';
import { opaqueEtag } from './object-operations.ts';
import { receiveText } from './receive-body.ts';
import { bucketOf, keyOf, xmlAnswer, type Answer, type Call } from './s3-call.ts';
import {
  checksumElement,
  checksumHeader,
  checksumOfParts,
  type ObjectChecksum,
} from './s3-checksum.ts';
import { badDigest, noSuchUpload, S3Error } from './s3-error.ts';
import {
  discardBlobs,
  uploadOf,
  type Bucket,
  type Headers,
  type StoredObject,
  type StoredPart,
  type StoredUpload,
} from './s3-store.ts';
import { childText, malformed, parseXml, xmlDocument, type XmlNode } from './xml.ts';

export async function completeMultipartUpload(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const id = call.request.query.get('uploadId') ?? '';
  const source = await receiveText(call.request, call.verified, 'of-object');
  const before = bucket.completed.get(id);
  if (before !== undefined && before.key === key && call.s3.completedAgain === 'same-answer') {
    return completedAnswer(call, before.object);
  }
  const upload = uploadOf(bucket, key, id);
  const parts = namedParts(source, upload, call.s3.minPartBytes);
  const object = assembled(call, upload, parts);
  const pastAbort = await call.assemble(upload);
  if (!pastAbort && !bucket.uploads.has(id)) throw noSuchUpload(id);
  await makeVisible(call, bucket, object);
  finish(bucket, upload, object, parts);
  return completedAnswer(call, object);
}

function finish(
  bucket: Bucket,
  upload: StoredUpload,
  object: StoredObject,
  used: readonly StoredPart[],
): void {
  bucket.uploads.delete(upload.id);
  bucket.completed.set(upload.id, { key: upload.key, object });
  const unused = [...upload.parts.values()].filter((part) => !used.includes(part));
  discardBlobs(unused.map((part) => part.blob));
}

function namedParts(source: string, upload: StoredUpload, minPartBytes: number): StoredPart[] {
  const root = parseXml(source);
  const nodes = root.children.filter((child) => child.name === 'Part');
  if (root.name !== 'CompleteMultipartUpload' || nodes.length === 0) throw malformed();
  let previous = 0;
  const parts = nodes.map((node) => {
    const number = Number(childText(node, 'PartNumber'));
    if (!Number.isInteger(number)) throw malformed();
    if (number <= previous) {
      throw new S3Error(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        { UploadId: upload.id },
      );
    }
    previous = number;
    return namedPart(node, number, upload);
  });
  for (const part of parts.slice(0, -1)) {
    if (part.bytes < minPartBytes) throw tooSmall(part, minPartBytes);
  }
  return parts;
}

function namedPart(node: XmlNode, number: number, upload: StoredUpload): StoredPart {
  const part = upload.parts.get(number);
  const etag = childText(node, 'ETag');
  const checksum = childText(node, checksumElement(upload.algorithm));
  if (checksum === undefined && upload.explicit && upload.type === 'COMPOSITE') {
    throw new S3Error(
      400,
      'InvalidRequest',
      `The upload was created using a ${upload.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  const matches =
    part !== undefined &&
    etag !== undefined &&
    unquoted(etag) === unquoted(part.etag) &&
    (checksum === undefined || checksum === part.checksum.value);
  if (matches) return part;
  throw new S3Error(
    400,
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: upload.id, PartNumber: String(number), ETag: etag ?? '' },
  );
}

function assembled(call: Call, upload: StoredUpload, parts: readonly StoredPart[]): StoredObject {
  const { headers } = call.request;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const checksum = checksumOfParts(
    upload.algorithm,
    upload.type,
    parts.map((part) => ({ bytes: part.bytes, checksum: part.checksum.value })),
  );
  checkClaims(headers, checksum, bytes);
  return {
    key: upload.key,
    bytes,
    etag: `"${multipartEtag(parts)}"`,
    modifiedMs: call.s3.now(),
    metadata: upload.metadata,
    headers: upload.headers,
    checksum,
    blobs: parts.map((part) => part.blob),
    tags: upload.tags,
  };
}

function checkClaims(headers: Headers, checksum: ObjectChecksum, bytes: number): void {
  const type = headers['x-amz-checksum-type'];
  const size = headers['x-amz-mp-object-size'];
  const claimed = Object.entries(headers).filter(
    ([name]) => name.startsWith('x-amz-checksum-') && name !== 'x-amz-checksum-type',
  );
  if (type !== undefined && type !== checksum.type) throw badDigest('checksum type');
  if (size !== undefined && Number(size) !== bytes) {
    throw new S3Error(
      400,
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header does not match what was computed.`,
    );
  }
  for (const [name, value] of claimed) {
    if (name !== checksumHeader(checksum.algorithm)) {
      throw new S3Error(
        400,
        'InvalidRequest',
        `The upload was not created with the checksum of ${name}.`,
      );
    }
    if (value.replace(/-\d+$/, '') !== checksum.value.replace(/-\d+$/, '')) {
      throw badDigest(checksum.algorithm);
    }
  }
}

function multipartEtag(parts: readonly StoredPart[]): string {
  if (parts.some((part) => part.md5 === undefined)) return `${opaqueEtag()}-${parts.length}`;
  const md5 = createHash('md5');
  for (const part of parts) md5.update(part.md5 as string, 'hex');
  return `${md5.digest('hex')}-${parts.length}`;
}

function completedAnswer(call: Call, object: StoredObject): Answer {
  const { checksum } = object;
  return xmlAnswer(
    xmlDocument('CompleteMultipartUploadResult', {
      Location: `/${call.request.bucket}/${object.key}`,
      Bucket: call.request.bucket,
      Key: object.key,
      ETag: object.etag,
      [checksumElement(checksum.algorithm)]: checksum.value,
      ChecksumType: checksum.type,
    }),
    encryptionHeaders(object.headers),
  );
}

function tooSmall(part: StoredPart, minPartBytes: number): S3Error {
  return new S3Error(
    400,
    'EntityTooSmall',
    'Your proposed upload is smaller than the minimum allowed size',
    {
      ProposedSize: String(part.bytes),
      MinSizeAllowed: String(minPartBytes),
      PartNumber: String(part.number),
      ETag: part.etag,
    },
  );
}
