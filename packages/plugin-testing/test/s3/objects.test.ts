import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  CreateBucketCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startS3, type S3Simulator } from '../../src/s3/start-s3.ts';
import { clientOf, sample } from './s3-client.ts';

const Bucket = 'lake';
let s3: S3Simulator;
let client: S3Client;

beforeAll(async () => {
  s3 = await startS3({ buckets: [Bucket] });
  client = clientOf(s3);
});
beforeEach(() => {
  s3.denied.clear();
  s3.faults.clear();
});
afterAll(async () => {
  client.destroy();
  await s3[Symbol.asyncDispose]();
});

function put(Key: string, more: object = {}): Promise<unknown> {
  return client.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...more }));
}

describe('objects', () => {
  test('come back with their metadata, encryption and the checksum that the SDK adds by itself', async () => {
    await put('a/b c+d(é).txt', {
      Metadata: { 'octo-v': '1' },
      ContentType: 'text/csv',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key-1',
    });
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b c+d(é).txt' }));
    expect(await answer.Body?.transformToString()).toBe('hello');
    expect(answer).toMatchObject({
      Metadata: { 'octo-v': '1' },
      ContentType: 'text/csv',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key-1',
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
    });
  });

  test('sent as a stream pass through chunked framing and its trailer', async () => {
    const body = sample(300_000);
    const pieces = [body.subarray(0, 65_536), body.subarray(65_536)];
    await put('streamed', { Body: Readable.from(pieces), ContentLength: body.length });
    expect(s3.requests.at(-1)?.headers['x-amz-content-sha256']).toBe(
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    );
    expect((await s3.object(Bucket, 'streamed')?.content())?.equals(body)).toBe(true);
  });

  test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256', 'CRC64NVME'] as const)(
    'take a %s of the SDK and refuse a wrong one',
    async (algorithm) => {
      await put(`sum-${algorithm}`, { ChecksumAlgorithm: algorithm });
      expect(s3.object(Bucket, `sum-${algorithm}`)?.checksum.algorithm).toBe(algorithm);
      const right = s3.object(Bucket, `sum-${algorithm}`)?.checksum.value ?? '';
      const wrong = Buffer.from(right, 'base64');
      wrong[0] = (wrong[0] as number) ^ 1;
      const answer = put('bad', { [`Checksum${algorithm}`]: wrong.toString('base64') });
      await expect(answer).rejects.toMatchObject({ name: 'BadDigest' });
      expect(s3.object(Bucket, 'bad')).toBeUndefined();
    },
  );

  test('with a wrong Content-MD5 are refused', async () => {
    const ContentMD5 = Buffer.alloc(16).toString('base64');
    await expect(put('bad', { ContentMD5 })).rejects.toMatchObject({ name: 'BadDigest' });
  });

  test('are put into an empty place only, when asked', async () => {
    await put('once', { IfNoneMatch: '*' });
    await expect(put('once', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => put('race', { IfNoneMatch: '*' })),
    );
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
  });

  test('are replaced only when they are what was expected', async () => {
    await put('replaced');
    const etag = s3.object(Bucket, 'replaced')?.etag;
    await expect(put('replaced', { IfMatch: '"00"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await put('replaced', { IfMatch: etag, Body: 'new' });
    expect(await s3.object(Bucket, 'replaced')?.sha256()).toMatch(/^11507a0e/);
    await expect(put('absent', { IfMatch: etag })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('are read in ranges', async () => {
    await put('ranged', { Body: '0123456789' });
    const read = async (Range: string): Promise<string | undefined> => {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'ranged', Range }));
      return `${await answer.Body?.transformToString()} ${answer.ContentRange}`;
    };
    expect(await read('bytes=2-4')).toBe('234 bytes 2-4/10');
    expect(await read('bytes=7-')).toBe('789 bytes 7-9/10');
    expect(await read('bytes=-2')).toBe('89 bytes 8-9/10');
    await expect(read('bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  test('tell their checksum by HEAD only when asked', async () => {
    await put('headed');
    const head = (ChecksumMode?: 'ENABLED'): Promise<object> =>
      client.send(
        new HeadObjectCommand({ Bucket, Key: 'headed', ...(ChecksumMode && { ChecksumMode }) }),
      );
    expect(await head('ENABLED')).toMatchObject({ ChecksumCRC32: 'NhCmhg==', ContentLength: 5 });
    expect(await head()).not.toHaveProperty('ChecksumCRC32');
  });

  test('that are absent answer 404, or 403 to those who may not list', async () => {
    const head = (): Promise<unknown> =>
      client.send(new HeadObjectCommand({ Bucket, Key: 'absent' }));
    await expect(head()).rejects.toMatchObject({ name: 'NotFound' });
    s3.denied.add('s3:ListBucket');
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });

  test('are deleted, also when they are not there', async () => {
    await put('gone');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    expect(s3.object(Bucket, 'gone')).toBeUndefined();
  });

  test('carry up to ten tags', async () => {
    await put('tagged');
    const tag = (TagSet: { Key: string; Value: string }[]): Promise<unknown> =>
      client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } }));
    await tag([{ Key: 'octo-raw', Value: 'abc+/=' }]);
    const answer = await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(answer.TagSet).toEqual([{ Key: 'octo-raw', Value: 'abc+/=' }]);
    const eleven = Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await expect(tag(eleven)).rejects.toMatchObject({ name: 'BadRequest' });
    await expect(tag([{ Key: 'a', Value: '{}' }])).rejects.toMatchObject({ name: 'InvalidTag' });
  });
});

describe('buckets', () => {
  test('list their objects page by page, by prefix and delimiter', async () => {
    const Name = 'listed';
    await client.send(new CreateBucketCommand({ Bucket: Name }));
    for (const Key of ['a/1', 'a/2', 'b', 'c/1 &<>']) {
      await client.send(new PutObjectCommand({ Bucket: Name, Key, Body: 'x' }));
    }
    const first = await client.send(new ListObjectsV2Command({ Bucket: Name, MaxKeys: 3 }));
    const second = await client.send(
      new ListObjectsV2Command({ Bucket: Name, ContinuationToken: first.NextContinuationToken }),
    );
    const keys = [...(first.Contents ?? []), ...(second.Contents ?? [])].map(({ Key }) => Key);
    expect(keys).toEqual(['a/1', 'a/2', 'b', 'c/1 &<>']);
    const folders = await client.send(new ListObjectsV2Command({ Bucket: Name, Delimiter: '/' }));
    expect(folders.CommonPrefixes).toEqual([{ Prefix: 'a/' }, { Prefix: 'c/' }]);
    expect(folders.Contents?.map(({ Key }) => Key)).toEqual(['b']);
  });

  test('that are absent are said to be', async () => {
    const head = client.send(new HeadBucketCommand({ Bucket: 'nowhere' }));
    await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
    const write = client.send(new PutObjectCommand({ Bucket: 'nowhere', Key: 'k', Body: 'x' }));
    await expect(write).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test('refuse what is not permitted, by name of the permission', async () => {
    s3.denied.add('s3:PutObject');
    await expect(put('denied')).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('not authorized to perform: s3:PutObject'),
    });
  });
});
