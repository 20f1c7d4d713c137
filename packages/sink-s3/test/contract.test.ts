import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startS3, type S3Simulator } from '@octo/plugin-testing';
import { sinkSuite } from '@octo/plugin-testing/suites';
import { afterAll, beforeAll } from 'vitest';
import { BUCKET, configFor, MIB, sinkOf } from './open-sink.ts';

let s3: S3Simulator;
let client: S3Client;
let places = 0;

beforeAll(async () => {
  s3 = await startS3({ buckets: [BUCKET] });
  client = new S3Client({ ...s3, credentials: s3.credentials });
});
afterAll(async () => {
  client.destroy();
  await s3[Symbol.asyncDispose]();
});

sinkSuite(
  'the S3 sink',
  async () => {
    places += 1;
    const prefix = `place-${places}`;
    const config = configFor(s3, { prefix });
    return {
      sink: sinkOf(config),
      another: () => sinkOf(config),
      readObject: async (key) => s3.object(BUCKET, `${prefix}/${key}`)?.content(),
      listKeys: async () =>
        s3
          .objects(BUCKET)
          .filter(({ key }) => key.startsWith(`${prefix}/`))
          .map(({ key }) => key.slice(prefix.length + 1)),
      placeForeignObject: async (key, bytes) => {
        const Key = `${prefix}/${key}`;
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: bytes }));
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
  { boundaryBytes: [5 * MIB] },
);
