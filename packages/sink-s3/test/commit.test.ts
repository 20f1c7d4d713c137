import { proofOf, type S3Fault, type S3Simulator } from '@octo/plugin-testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, failureOf, MIB, openSink, quiet, sample, simulator, staged } from './open-sink.ts';
import type { S3Sink } from '../src/s3-sink.ts';

const BYTES = sample(3000);
const PROOF = proofOf(BYTES);

let s3: S3Simulator;
let sink: S3Sink;

beforeEach(async () => {
  s3 = await simulator();
  ({ sink } = await openSink(s3));
});

function onComplete(fault: S3Fault): { readonly hits: number } {
  return s3.faults.add({ operation: 'CompleteMultipartUpload', fault });
}

const at = (key: string) => s3.object(BUCKET, `in/lake/${key}`);

describe('a commit', () => {
  test('names every part with its checksum, asks for an empty place and proves the whole', async () => {
    const bytes = sample(11 * MIB);
    const upload = await staged(sink, 'large', bytes, { metadata: { 'octo-delivery': 'd1' } });
    expect(at('large')).toBeUndefined();
    const answer = await upload.commit(proofOf(bytes), quiet);
    const object = at('large');
    expect(answer).toEqual({ outcome: 'committed', etag: object?.etag });
    expect(object).toMatchObject({
      bytes: bytes.length,
      parts: 3,
      metadata: { 'octo-delivery': 'd1' },
      checksum: {
        algorithm: 'CRC64NVME',
        type: 'FULL_OBJECT',
        value: Buffer.from(proofOf(bytes).crc64nvme).toString('base64'),
      },
    });
    const [complete] = s3.requests.filter(
      ({ operation, key }) => operation === 'CompleteMultipartUpload' && key === 'in/lake/large',
    );
    expect(complete?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-crc64nvme': Buffer.from(proofOf(bytes).crc64nvme).toString('base64'),
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': String(bytes.length),
    });
  });

  test('of nothing makes an empty object through an upload, too', async () => {
    const upload = await staged(sink, 'empty', new Uint8Array(0));
    await upload.commit(proofOf(new Uint8Array(0)), quiet);
    expect(at('empty')).toMatchObject({ bytes: 0, parts: 1 });
    expect(s3.requests.some(({ operation }) => operation === 'PutObject')).toBe(false);
  });

  test('that was refused because something is there says exists', async () => {
    await (await staged(sink, 'key', BYTES)).commit(PROOF, quiet);
    const answer = await (await staged(sink, 'key', BYTES)).commit(PROOF, quiet);
    expect(answer).toEqual({ outcome: 'exists' });
  });

  test('in the way of another conditional request says conflict', async () => {
    const upload = await staged(sink, 'key', BYTES);
    onComplete({ do: 'fail', status: 409, code: 'ConditionalRequestConflict' });
    expect(await upload.commit(PROOF, quiet)).toEqual({ outcome: 'conflict' });
  });

  test('of an upload that somebody aborted says gone', async () => {
    const upload = await staged(sink, 'key', BYTES);
    onComplete({ do: 'fail', status: 404, code: 'NoSuchUpload' });
    expect(await upload.commit(PROOF, quiet)).toEqual({ outcome: 'gone' });
  });

  test('that was applied, on a store that forgets, says gone when it is repeated', async () => {
    s3.behave({ completedAgain: 'NoSuchUpload' });
    const upload = await staged(sink, 'key', BYTES);
    onComplete({ do: 'drop', applied: true });
    expect((await failureOf(upload.commit(PROOF, quiet))).type).toBe('network');
    expect(at('key')).toBeDefined();
    expect(await upload.commit(PROOF, quiet)).toEqual({ outcome: 'gone' });
  });

  test.each(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'BadDigest'])(
    'answered with %s is an integrity failure',
    async (code) => {
      const upload = await staged(sink, 'key', BYTES);
      onComplete({ do: 'fail', status: 400, code });
      expect((await failureOf(upload.commit(PROOF, quiet))).type).toBe('integrity');
    },
  );

  test('whose proof is over other bytes is refused before the store is asked', async () => {
    const upload = await staged(sink, 'key', BYTES);
    const failure = await failureOf(upload.commit(proofOf(sample(3000, 9)), quiet));
    expect(failure).toMatchObject({ type: 'integrity', code: 'PROOF_MISMATCH' });
    const completes = s3.requests.filter(
      ({ operation, key }) => operation === 'CompleteMultipartUpload' && key === 'in/lake/key',
    );
    expect(completes).toEqual([]);
    expect(at('key')).toBeUndefined();
  });

  test.each([
    ['a lost answer, applied', { do: 'drop', applied: true }, 'network'],
    ['a lost request', { do: 'drop', applied: false }, 'network'],
    ['500', { do: 'fail', status: 500, code: 'InternalError' }, 'provider_down'],
    ['503', { do: 'fail', status: 503, code: 'ServiceUnavailable' }, 'provider_down'],
    ['SlowDown', { do: 'fail', status: 503, code: 'SlowDown' }, 'rate_limit'],
    ['200 with an error inside', { do: 'fail-in-200', code: 'InternalError' }, 'provider_down'],
    [
      '200 with an error inside, applied',
      { do: 'fail-in-200', code: 'InternalError', applied: true },
      'provider_down',
    ],
  ] as const)('answered by %s is sent once and reported as unclear', async (_, fault, type) => {
    const upload = await staged(sink, 'key', BYTES);
    const armed = s3.faults.add({ operation: 'CompleteMultipartUpload', times: 9, fault });
    expect((await failureOf(upload.commit(PROOF, quiet))).type).toBe(type);
    expect(armed.hits).toBe(1);
    s3.faults.clear();
    // The host looks, and repeats the same completion with the same upload.
    expect(await upload.commit(PROOF, quiet)).toMatchObject({ outcome: 'committed' });
    expect(at('key')?.bytes).toBe(3000);
  });

  test('that is not permitted says which permission is missing', async () => {
    const upload = await staged(sink, 'key', BYTES);
    onComplete({ do: 'fail', status: 403, code: 'AccessDenied' });
    expect(await failureOf(upload.commit(PROOF, quiet))).toMatchObject({
      type: 'auth',
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('grant s3:PutObject'),
    });
  });

  test('into a bucket that is gone says so', async () => {
    const upload = await staged(sink, 'key', BYTES);
    onComplete({ do: 'fail', status: 404, code: 'NoSuchBucket' });
    expect(await failureOf(upload.commit(PROOF, quiet))).toMatchObject({
      type: 'auth',
      code: 'NO_SUCH_BUCKET',
    });
  });

  test('stops when its signal is aborted, and can be repeated', async () => {
    const upload = await staged(sink, 'key', BYTES);
    const silent = s3.faults.add({
      operation: 'CompleteMultipartUpload',
      fault: { do: 'hang', applied: false },
    });
    const stop = new AbortController();
    const answer = upload.commit(PROOF, stop.signal);
    await silent.hit;
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(await upload.commit(PROOF, quiet)).toMatchObject({ outcome: 'committed' });
  });
});

describe('a replacement', () => {
  test('is made under the etag of what is replaced', async () => {
    await (await staged(sink, 'key', BYTES)).commit(PROOF, quiet);
    const etag = at('key')?.etag ?? '';
    const other = sample(100, 5);
    const answer = await (await staged(sink, 'key', other)).commit(proofOf(other, { etag }), quiet);
    expect(answer.outcome).toBe('committed');
    expect(s3.requests.at(-1)?.headers).toMatchObject({ 'if-match': etag });
    const late = await (
      await staged(sink, 'key', BYTES)
    ).commit({ ...PROOF, replace: { etag } }, quiet);
    expect(late).toEqual({ outcome: 'exists' });
    expect(at('key')?.bytes).toBe(100);
  });

  test('of an object that is gone finds something else than expected', async () => {
    const upload = await staged(sink, 'key', BYTES);
    const answer = await upload.commit({ ...PROOF, replace: { etag: '"1"' } }, quiet);
    expect(answer).toEqual({ outcome: 'exists' });
    expect(at('key')).toBeUndefined();
  });
});

describe('an object', () => {
  test.each([
    [{ type: 'AES256' }, { 'x-amz-server-side-encryption': 'AES256' }],
    [
      { type: 'aws:kms', kmsKeyId: 'key-7' },
      {
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'key-7',
      },
    ],
  ] as const)('is encrypted as configured: %j', async (serverSideEncryption, headers) => {
    const { sink } = await openSink(s3, { serverSideEncryption });
    await (await staged(sink, 'secret', BYTES)).commit(PROOF, quiet);
    expect(at('secret')?.headers).toMatchObject(headers);
  });

  test.each(['md5', 'none'] as const)(
    'goes to a store without checksums when configured as %s',
    async (checksums) => {
      s3.behave({ checksums: 'refused' });
      const refused = await openSink(s3);
      expect(await failureOf(staged(refused.sink, 'refused', BYTES))).toMatchObject({
        type: 'validation',
        code: 'NOT_IMPLEMENTED',
        message: expect.stringContaining("config/checksums 'md5' or 'none'"),
      });
      const { sink } = await openSink(s3, { checksums });
      const bytes = sample(6 * MIB);
      expect(
        await (await staged(sink, 'plain', bytes)).commit(proofOf(bytes), quiet),
      ).toMatchObject({ outcome: 'committed' });
      const part = s3.requests.find(
        ({ operation, key }) => operation === 'UploadPart' && key === 'in/lake/plain',
      );
      expect('content-md5' in (part?.headers ?? {})).toBe(checksums === 'md5');
      const wrong = await staged(sink, 'wrong', bytes);
      expect((await failureOf(wrong.commit(proofOf(sample(6 * MIB, 2)), quiet))).type).toBe(
        'integrity',
      );
    },
  );
});
