import { HeadBucketCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signFrame } from '../../src/s3/aws-chunked.ts';
import { crc64nvme } from '../../src/s3/crc.ts';
import { startS3, type S3Simulator } from '../../src/s3/start-s3.ts';
import { clientOf, sample } from './s3-client.ts';

const NOW = Date.UTC(2025, 0, 31, 12);
const Bucket = 'lake';
let now = NOW;
let s3: S3Simulator;

beforeAll(async () => {
  s3 = await startS3({ buckets: [Bucket], clock: { now: () => now } });
});
afterAll(() => s3[Symbol.asyncDispose]());

const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');

/** A signer of its own, so that the simulator is not checked against itself. */
function sign(
  path: string,
  payload: string,
  extra: { [name: string]: string } = {},
  secret = s3.credentials.secretAccessKey,
): { headers: { [name: string]: string }; signature: string; key: Buffer } {
  const timestamp = '20250131T120000Z';
  const headers: { [name: string]: string } = {
    host: `127.0.0.1:${s3.port}`,
    'x-amz-content-sha256': payload,
    'x-amz-date': timestamp,
    ...extra,
  };
  const names = Object.keys(headers).toSorted();
  const canonical = `PUT\n${path}\n\n${names.map((name) => `${name}:${headers[name]}\n`).join('')}\n${names.join(';')}\n${payload}`;
  const scope = '20250131/us-east-1/s3/aws4_request';
  let key = Buffer.from(`AWS4${secret}`);
  for (const word of ['20250131', 'us-east-1', 's3', 'aws4_request']) {
    key = createHmac('sha256', key).update(word).digest();
  }
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`;
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${s3.credentials.accessKeyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { headers: { ...headers, authorization }, signature, key };
}

function put(
  path: string,
  headers: { [name: string]: string },
  body: Uint8Array | string,
): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const options = { port: s3.port, host: '127.0.0.1', path, method: 'PUT' };
    const request = httpRequest({ ...options, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '',
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A body in signed chunks; with `flip` the signature of that chunk is wrong. */
function signedChunks(
  content: Buffer,
  signed: { signature: string; key: Buffer },
  trailers: { [name: string]: string } | undefined,
  flip?: number,
): Buffer {
  const timestamp = '20250131T120000Z';
  const scope = '20250131/us-east-1/s3/aws4_request';
  let previous = signed.signature;
  const pieces = [content.subarray(0, 65_536), content.subarray(65_536), Buffer.alloc(0)];
  const frames = pieces.map((piece, index) => {
    previous = signFrame(signed.key, [
      'AWS4-HMAC-SHA256-PAYLOAD',
      timestamp,
      scope,
      previous,
      sha256(''),
      sha256(piece),
    ]);
    const shown =
      index === flip ? previous.replace(/^./, (c) => (c === '0' ? '1' : '0')) : previous;
    const head = `${piece.length.toString(16)};chunk-signature=${shown}\r\n`;
    const tail = piece.length > 0 ? '\r\n' : '';
    return Buffer.concat([Buffer.from(head), piece, Buffer.from(tail)]);
  });
  if (trailers === undefined) return Buffer.concat([...frames, Buffer.from('\r\n')]);
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}\n`);
  const last = ['AWS4-HMAC-SHA256-TRAILER', timestamp, scope, previous, sha256(lines.join(''))];
  const signature = signFrame(signed.key, last);
  const text = `${lines.join('').replaceAll('\n', '\r\n')}x-amz-trailer-signature:${signature}\r\n\r\n`;
  return Buffer.concat([...frames, Buffer.from(text)]);
}

describe('a signature', () => {
  test('of another secret is refused', async () => {
    const { headers } = sign('/lake/a', 'UNSIGNED-PAYLOAD', {}, 'another');
    expect(await put('/lake/a', headers, 'x')).toEqual({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
  });

  test('covers the path, and every x-amz header must be under it', async () => {
    const { headers } = sign('/lake/a', 'UNSIGNED-PAYLOAD');
    expect((await put('/lake/b', headers, 'x')).code).toBe('SignatureDoesNotMatch');
    const more = { ...headers, 'x-amz-meta-a': '1' };
    expect((await put('/lake/a', more, 'x')).code).toBe('AccessDenied');
    expect((await put('/lake/a', headers, 'x')).status).toBe(200);
  });

  test('with a hash of the payload binds the body', async () => {
    const { headers } = sign('/lake/hashed', sha256('right'));
    expect((await put('/lake/hashed', headers, 'wrong')).code).toBe('XAmzContentSHA256Mismatch');
    expect(s3.object(Bucket, 'hashed')).toBeUndefined();
    expect((await put('/lake/hashed', headers, 'right')).status).toBe(200);
  });

  test('is needed at all, and for the right region', async () => {
    expect((await put('/lake/a', {}, 'x')).code).toBe('AccessDenied');
    const { headers } = sign('/lake/a', 'UNSIGNED-PAYLOAD');
    const elsewhere = (headers['authorization'] ?? '').replace('us-east-1', 'eu-west-1');
    const answer = await put('/lake/a', { ...headers, authorization: elsewhere }, 'x');
    expect(answer.code).toBe('AuthorizationHeaderMalformed');
  });

  test('is made again for each signed chunk', async () => {
    const content = sample(100_000);
    const length = { 'x-amz-decoded-content-length': String(content.length) };
    const signed = sign('/lake/chunks', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', length);
    const wrong = await put(
      '/lake/chunks',
      signed.headers,
      signedChunks(content, signed, undefined, 1),
    );
    expect(wrong.code).toBe('SignatureDoesNotMatch');
    expect(s3.object(Bucket, 'chunks')).toBeUndefined();
    await put('/lake/chunks', signed.headers, signedChunks(content, signed, undefined));
    expect((await s3.object(Bucket, 'chunks')?.content())?.equals(content)).toBe(true);
  });

  test('covers the trailer, whose checksum is compared', async () => {
    const content = sample(100_000);
    const crc = crc64nvme();
    crc.update(content);
    const extra = {
      'x-amz-decoded-content-length': String(content.length),
      'x-amz-trailer': 'x-amz-checksum-crc64nvme',
    };
    const signed = sign('/lake/trailer', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', extra);
    const send = (sum: string): Promise<{ status: number; code: string }> =>
      put(
        '/lake/trailer',
        signed.headers,
        signedChunks(content, signed, { 'x-amz-checksum-crc64nvme': sum }),
      );
    expect((await send('AAAAAAAAAAA=')).code).toBe('BadDigest');
    expect((await send(crc.digest().toString('base64'))).status).toBe(200);
  });

  test('is no longer good after fifteen minutes', async () => {
    const { headers } = sign('/lake/late', 'UNSIGNED-PAYLOAD');
    now = NOW + 15 * 60_000;
    expect((await put('/lake/late', headers, 'x')).status).toBe(200);
    now += 1000;
    expect((await put('/lake/late', headers, 'x')).code).toBe('RequestTimeTooSkewed');
    now = NOW;
  });
});

describe('credentials', () => {
  test('that nobody knows are refused as such; a clock that is wrong is put right by the SDK', async () => {
    const client = clientOf(s3, {
      credentials: { ...s3.credentials, accessKeyId: 'AKIAUNKNOWN' },
    });
    // The SDK's clock is years away from the simulator's: it learns the offset from the first refusal.
    await expect(client.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
    });
    client.destroy();
  });

  test('of a session expire', async () => {
    const credentials = { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'token' };
    s3.addCredentials(credentials);
    const client = clientOf(s3, { credentials });
    await client.send(new HeadBucketCommand({ Bucket }));
    s3.expireToken('token');
    const answer = client.send(new PutObjectCommand({ Bucket, Key: 'expired', Body: 'x' }));
    await expect(answer).rejects.toMatchObject({ name: 'ExpiredToken' });
    client.destroy();
  });
});
