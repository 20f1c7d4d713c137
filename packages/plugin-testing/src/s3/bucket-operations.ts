/** CreateBucket, HeadBucket, ListBuckets, ListObjectsV2. */
import { bucketOf, queryNumber, xmlAnswer, type Answer, type Call } from './s3-call.ts';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './s3-store.ts';
import { xmlDocument, type XmlElements } from './xml.ts';

export async function createBucket(call: Call): Promise<Answer> {
  const name = call.request.bucket ?? '';
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  }
  if (call.s3.store.buckets.has(name)) {
    throw new S3Error(
      409,
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
    );
  }
  call.s3.store.createBucket(name, call.s3.now());
  return { status: 200, headers: { location: `/${name}` } };
}

export async function headBucket(call: Call): Promise<Answer> {
  bucketOf(call);
  return { status: 200, headers: { 'x-amz-bucket-region': call.s3.region } };
}

export async function listBuckets(call: Call): Promise<Answer> {
  const Bucket = [...call.s3.store.buckets.values()].map((bucket) => ({
    Name: bucket.name,
    CreationDate: new Date(bucket.createdMs).toISOString(),
  }));
  return xmlAnswer(
    xmlDocument('ListAllMyBucketsResult', {
      Owner: { ID: 'octo', DisplayName: 'octo' },
      Buckets: { Bucket },
    }),
  );
}

/** Compares as S3 sorts: by UTF-8 bytes. */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}

export async function listObjectsV2(call: Call): Promise<Answer> {
  const { query } = call.request;
  const bucket = bucketOf(call);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after = token === undefined ? (query.get('start-after') ?? '') : fromToken(token);
  const maxKeys = Math.min(queryNumber(call, 'max-keys', 1000), 1000);
  const written = (text: string): string =>
    query.get('encoding-type') === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
  const rows = rowsOf([...bucket.objects.values()].toSorted(byKey), prefix, delimiter).filter(
    (row) => after === '' || byKey(row, { key: after }) > 0,
  );
  const page = rows.slice(0, maxKeys);
  const truncated = rows.length > page.length;
  return xmlAnswer(
    xmlDocument('ListBucketResult', {
      Name: bucket.name,
      Prefix: written(prefix),
      Delimiter: delimiter === '' ? undefined : written(delimiter),
      StartAfter: query.get('start-after'),
      ContinuationToken: token,
      MaxKeys: maxKeys,
      KeyCount: page.length,
      EncodingType: query.get('encoding-type'),
      IsTruncated: truncated,
      NextContinuationToken: truncated ? toToken((page.at(-1) as Row).key) : undefined,
      Contents: page.flatMap((row) => (row.object ? [contents(row.object, written)] : [])),
      CommonPrefixes: page.flatMap((row) => (row.object ? [] : [{ Prefix: written(row.key) }])),
    }),
  );
}

interface Row {
  readonly key: string;
  /** Undefined for a common prefix. */
  readonly object: StoredObject | undefined;
}

function rowsOf(objects: readonly StoredObject[], prefix: string, delimiter: string): Row[] {
  const rows: Row[] = [];
  for (const object of objects) {
    if (!object.key.startsWith(prefix)) continue;
    const cut = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (cut < 0) rows.push({ key: object.key, object });
    else {
      const key = object.key.slice(0, cut + delimiter.length);
      if (rows.at(-1)?.key !== key) rows.push({ key, object: undefined });
    }
  }
  return rows;
}

function contents(object: StoredObject, written: (text: string) => string): XmlElements {
  return {
    Key: written(object.key),
    LastModified: new Date(object.modifiedMs).toISOString(),
    ETag: object.etag,
    ChecksumAlgorithm: object.checksum.algorithm,
    ChecksumType: object.checksum.type,
    Size: object.bytes,
    StorageClass: object.headers['x-amz-storage-class'] ?? 'STANDARD',
  };
}

function toToken(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function fromToken(token: string): string {
  return Buffer.from(token, 'base64url').toString();
}
