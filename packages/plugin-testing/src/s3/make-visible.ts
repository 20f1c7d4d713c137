/** The one place where an object appears: preconditions are checked and the object is put in one step. */
import type { Call } from './s3-call.ts';
import { noSuchKey, S3Error } from './s3-error.ts';
import { replaceObject, type Bucket, type Headers, type StoredObject } from './s3-store.ts';

/** How long a racy store takes between its check and its change. */
const RACY_GAP_MS = 150;

/** @throws S3Error PreconditionFailed, NoSuchKey, NotImplemented; nothing has changed then */
export async function makeVisible(call: Call, bucket: Bucket, object: StoredObject): Promise<void> {
  const { headers } = call.request;
  const { conditionalWrites } = call.s3;
  if (conditionalWrites !== 'ignored') {
    checkPreconditions(bucket, object.key, headers, conditionalWrites === 'refused');
  }
  if (conditionalWrites === 'racy') {
    await new Promise((resolve) => setTimeout(resolve, RACY_GAP_MS));
  }
  replaceObject(bucket, object);
}

function checkPreconditions(bucket: Bucket, key: string, headers: Headers, refused: boolean): void {
  const noneMatch = headers['if-none-match'];
  const match = headers['if-match'];
  if (noneMatch === undefined && match === undefined) return;
  if (refused || (noneMatch !== undefined && noneMatch !== '*')) {
    throw new S3Error(
      501,
      'NotImplemented',
      'A header you provided implies functionality that is not implemented.',
      { Header: noneMatch === undefined ? 'If-Match' : 'If-None-Match' },
    );
  }
  const there = bucket.objects.get(key);
  if (noneMatch !== undefined && there !== undefined) throw preconditionFailed('If-None-Match');
  if (match === undefined) return;
  if (there === undefined) throw noSuchKey(key);
  if (unquoted(there.etag) !== unquoted(match)) throw preconditionFailed('If-Match');
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    { Condition: condition },
  );
}

export function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}
