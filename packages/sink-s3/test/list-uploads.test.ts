import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { listUploads } from '../src/list-uploads.ts';
import { BUCKET, simulator } from './open-sink.ts';

test('goes through every page, also where one key has several uploads', async () => {
  const s3 = await simulator();
  const client = new S3Client({ ...s3, credentials: s3.credentials });
  onTestFinished(() => client.destroy());
  for (const Key of ['a b/1', 'a b/1', 'a b/1', 'a+b/2', 'ü%/3']) {
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  }
  const twoATime = { Bucket: BUCKET, EncodingType: 'url', MaxUploads: 2 } as const;
  const listed = await Array.fromAsync(
    listUploads((marker) =>
      client.send(new ListMultipartUploadsCommand({ ...twoATime, ...marker })),
    ),
  );
  expect(listed.map(({ key }) => key)).toEqual(['a b/1', 'a b/1', 'a b/1', 'a+b/2', 'ü%/3']);
  expect(new Set(listed.map(({ id }) => id)).size).toBe(5);
  expect(listed.every(({ startedMs }) => startedMs > 0)).toBe(true);
});
