import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { proofOf, type S3Simulator } from '@octo/plugin-testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { S3Sink } from '../src/s3-sink.ts';
import { BUCKET, failureOf, openSink, quiet, sample, simulator, staged } from './open-sink.ts';

const BYTES = sample(500);

let s3: S3Simulator;
let sink: S3Sink;
beforeEach(async () => {
  s3 = await simulator();
  ({ sink } = await openSink(s3));
});

describe('abort', () => {
  test('resolves for an upload that is dead now, was dead, or became an object', async () => {
    const upload = await staged(sink, 'a', BYTES);
    await sink.abort({ key: 'a', id: upload.id }, quiet);
    await sink.abort({ key: 'a', id: upload.id }, quiet);
    const done = await staged(sink, 'b', BYTES);
    await done.commit(proofOf(BYTES), quiet);
    await sink.abort({ key: 'b', id: done.id }, quiet);
    expect(s3.uploads(BUCKET)).toEqual([]);
    expect(s3.object(BUCKET, 'in/lake/b')).toBeDefined();
  });

  test.each([
    ['a lost answer', { do: 'drop', applied: true }, 'network'],
    ['500', { do: 'fail', status: 500, code: 'InternalError' }, 'provider_down'],
    ['SlowDown', { do: 'fail', status: 503, code: 'SlowDown' }, 'rate_limit'],
    ['403', { do: 'fail', status: 403, code: 'AccessDenied' }, 'auth'],
    ['no such bucket', { do: 'fail', status: 404, code: 'NoSuchBucket' }, 'auth'],
  ] as const)('does not resolve after %s', async (_, fault, type) => {
    const upload = await staged(sink, 'a', BYTES);
    s3.faults.add({ operation: 'AbortMultipartUpload', fault });
    expect((await failureOf(sink.abort({ key: 'a', id: upload.id }, quiet))).type).toBe(type);
  });
});

describe('head', () => {
  test('tells whose object it is, and its checksum', async () => {
    const upload = await staged(sink, 'key', BYTES, { metadata: { 'octo-token': 't1' } });
    expect(await sink.head('key', quiet)).toBeUndefined();
    await upload.commit(proofOf(BYTES), quiet);
    expect(await sink.head('key', quiet)).toEqual({
      bytes: 500,
      metadata: { 'octo-token': 't1' },
      etag: s3.object(BUCKET, 'in/lake/key')?.etag,
      crc64nvme: Buffer.from(proofOf(BYTES).crc64nvme),
    });
  });

  test('takes an absent key without the permission to list for what it is: no answer', async () => {
    s3.denied.add('s3:ListBucket');
    expect(await failureOf(sink.head('absent', quiet))).toMatchObject({
      type: 'auth',
      message: expect.stringContaining('grant s3:ListBucket'),
    });
  });

  test.each([
    ['a cut connection', { do: 'drop', applied: false }, 'network'],
    ['503', { do: 'fail', status: 503, code: 'ServiceUnavailable' }, 'provider_down'],
  ] as const)('does not take %s for an absent key', async (_, fault, type) => {
    s3.faults.add({ operation: 'HeadObject', fault });
    expect((await failureOf(sink.head('absent', quiet))).type).toBe(type);
  });
});

describe('stage', () => {
  test.each([
    ['a lost answer', { do: 'drop', applied: true }, 'network', undefined],
    ['SlowDown', { do: 'fail', status: 503, code: 'SlowDown' }, 'rate_limit', 'SLOW_DOWN'],
    ['500', { do: 'fail', status: 500, code: 'InternalError' }, 'provider_down', 'INTERNAL_ERROR'],
    ['403', { do: 'fail', status: 403, code: 'AccessDenied' }, 'auth', 'ACCESS_DENIED'],
    ['no bucket', { do: 'fail', status: 404, code: 'NoSuchBucket' }, 'auth', 'NO_SUCH_BUCKET'],
  ] as const)('reports %s', async (_, fault, type, code) => {
    s3.faults.add({ operation: 'CreateMultipartUpload', fault });
    const failure = await failureOf(sink.stage({ key: 'key', metadata: {} }, quiet));
    expect(failure.type).toBe(type);
    expect(failure.code).toBe(code ?? failure.code);
  });
});

describe('the place', () => {
  test('is the bucket and the prefix, with the host of another store', async () => {
    const host = new URL(s3.endpoint).host;
    expect(sink.place).toBe(`s3://${host}/octo-lake/in/lake`);
    expect((await openSink(s3, { prefix: '/in/lake/' })).sink.place).toBe(sink.place);
    expect((await openSink(s3, { prefix: '' })).sink.place).toBe(`s3://${host}/octo-lake`);
    await expect(openSink(s3, { prefix: 'a/../b' })).rejects.toMatchObject({
      type: 'validation',
      code: 'BAD_PREFIX',
    });
  });

  test('without a prefix is the whole bucket', async () => {
    const { sink } = await openSink(s3, { prefix: '' });
    await (await staged(sink, 'top', BYTES)).commit(proofOf(BYTES), quiet);
    const left = await staged(sink, 'left', BYTES);
    expect(s3.objects(BUCKET).map(({ key }) => key)).toEqual(['top']);
    expect(await Array.fromAsync(sink.uploads(quiet))).toMatchObject([
      { key: 'left', id: left.id },
    ]);
  });

  test('lists only uploads of its own, with the names that they were given', async () => {
    const other = await openSink(s3, { prefix: 'in/lake-two' });
    await staged(other.sink, 'other', BYTES);
    const keys = ['a b+c', 'ü/ß', 'x&y<z>', '100%'];
    for (const key of keys) await staged(sink, key, BYTES);
    const listed = await Array.fromAsync(sink.uploads(quiet));
    expect(new Set(listed.map(({ key }) => key))).toEqual(new Set(keys));
    for (const upload of listed) await sink.abort(upload, quiet);
    expect(await Array.fromAsync(sink.uploads(quiet))).toEqual([]);
  });

  test('takes no key that is longer than S3 allows, or that its answers cannot carry', async () => {
    for (const key of ['x'.repeat(1020), 'bell\u0007', '\ud800']) {
      expect(await failureOf(sink.stage({ key, metadata: {} }, quiet))).toMatchObject({
        type: 'validation',
        code: 'BAD_KEY',
      });
    }
  });
});

describe('facts', () => {
  test('become tags of the object', async () => {
    await (await staged(sink, 'key', BYTES)).commit(proofOf(BYTES), quiet);
    await sink.annotate('key', { 'octo-raw-sha256': 'ab'.repeat(32), 'octo-v': '1' }, quiet);
    expect(s3.object(BUCKET, 'in/lake/key')?.tags).toEqual({
      'octo-raw-sha256': 'ab'.repeat(32),
      'octo-v': '1',
    });
  });

  test('need a permission of their own', async () => {
    await (await staged(sink, 'key', BYTES)).commit(proofOf(BYTES), quiet);
    s3.denied.add('s3:PutObjectTagging');
    expect(await failureOf(sink.annotate('key', { a: '1' }, quiet))).toMatchObject({
      type: 'auth',
      message: expect.stringContaining('grant s3:PutObjectTagging'),
    });
  });
});

test("a stranger's object is not ours", async () => {
  const client = new S3Client({ ...s3, credentials: s3.credentials });
  onTestFinished(() => client.destroy());
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'in/lake/key', Body: 'foreign' }));
  expect(await sink.head('key', quiet)).toMatchObject({ bytes: 7, metadata: {} });
});
