import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
  type CompleteMultipartUploadCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { crc64nvme } from '../../src/s3/crc.ts';
import { S3_SERVE_MODULE } from '../../src/s3/serve-module.ts';
import { startS3, type S3Simulator } from '../../src/s3/start-s3.ts';
import { clientOf, sample } from './s3-client.ts';

const Bucket = 'lake';
const MIB = 1024 ** 2;
let s3: S3Simulator;
let client: S3Client;

beforeAll(async () => {
  s3 = await startS3({ buckets: [Bucket], keep: 'disk' });
  client = clientOf(s3, { maxAttempts: 1 });
});
beforeEach(() => {
  s3.faults.clear();
  s3.behave({ completedAgain: 'same-answer', conditionalWrites: 'atomic' });
});
afterAll(async () => {
  client.destroy();
  await s3[Symbol.asyncDispose]();
});

async function create(Key: string, more: object = {}): Promise<string> {
  const answer = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...more }),
  );
  return answer.UploadId as string;
}

async function part(
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Uint8Array | string,
  more: object = {},
): Promise<CompletedPart> {
  const answer = await client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }),
  );
  return { ...answer, PartNumber };
}

function complete(
  Key: string,
  UploadId: string,
  Parts: CompletedPart[],
  more: object = {},
): Promise<CompleteMultipartUploadCommandOutput> {
  const MultipartUpload = { Parts };
  return client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...more }),
  );
}

function abort(Key: string, UploadId: string): Promise<unknown> {
  return client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
}

const crc64 = (data: Uint8Array): string => {
  const crc = crc64nvme();
  crc.update(data);
  return crc.digest().toString('base64');
};

const FULL = { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' } as const;

describe('a multipart upload', () => {
  test('becomes visible as one object, with the checksum over all of it', async () => {
    const bytes = sample(5 * MIB + 1000);
    const id = await create('whole', { ...FULL, Metadata: { 'octo-delivery': 'd1' } });
    const sum = { ChecksumAlgorithm: 'CRC64NVME' };
    const second = await part('whole', id, 2, bytes.subarray(5 * MIB), sum);
    const first = await part('whole', id, 1, bytes.subarray(0, 5 * MIB), sum);
    const claims = { ChecksumType: 'FULL_OBJECT', MpuObjectSize: bytes.length, IfNoneMatch: '*' };
    expect(s3.object(Bucket, 'whole')).toBeUndefined();
    await expect(
      complete('whole', id, [first, second], { ...claims, ChecksumCRC64NVME: 'AAAAAAAAAAA=' }),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await complete('whole', id, [first, second], { ...claims, ChecksumCRC64NVME: crc64(bytes) });
    const object = s3.object(Bucket, 'whole');
    expect(object).toMatchObject({
      bytes: bytes.length,
      parts: 2,
      metadata: { 'octo-delivery': 'd1' },
      checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: crc64(bytes) },
    });
    expect(await object?.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(object?.etag).toMatch(/^"[0-9a-f]{32}-2"$/);
  });

  test('with a composite checksum names it for every part', async () => {
    const id = await create('composite', { ChecksumAlgorithm: 'SHA256' });
    const only = await part('composite', id, 1, 'x', { ChecksumAlgorithm: 'SHA256' });
    const { ETag } = only;
    await expect(complete('composite', id, [{ ETag, PartNumber: 1 }])).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
    await complete('composite', id, [only]);
    const sha = createHash('sha256').update(createHash('sha256').update('x').digest());
    expect(s3.object(Bucket, 'composite')?.checksum.value).toBe(`${sha.digest('base64')}-1`);
  });

  test('refuses parts of another checksum than it was created with', async () => {
    const id = await create('mixed', FULL);
    await expect(part('mixed', id, 1, 'x')).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(
        'expected checksum Type: crc64nvme, actual checksum Type: crc32',
      ),
    });
    await expect(create('mixed', { ...FULL, ChecksumType: 'COMPOSITE' })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
  });

  test('refuses small, unknown, changed and unordered parts', async () => {
    const id = await create('parts');
    const one = await part('parts', id, 1, 'a');
    const two = await part('parts', id, 2, 'b');
    await expect(complete('parts', id, [one, two])).rejects.toMatchObject({
      name: 'EntityTooSmall',
    });
    await expect(complete('parts', id, [two, one])).rejects.toMatchObject({
      name: 'InvalidPartOrder',
    });
    await expect(complete('parts', id, [{ ...one, PartNumber: 3 }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(complete('parts', id, [{ ...one, ETag: two.ETag }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(complete('parts', id, [])).rejects.toMatchObject({ name: 'MalformedXML' });
    await abort('parts', id);
  });

  test('can be aborted once, and is dead then', async () => {
    const id = await create('aborted');
    const only = await part('aborted', id, 1, 'x');
    await abort('aborted', id);
    const dead = { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } };
    await expect(abort('aborted', id)).rejects.toMatchObject(dead);
    await expect(part('aborted', id, 2, 'x')).rejects.toMatchObject(dead);
    await expect(complete('aborted', id, [only])).rejects.toMatchObject(dead);
    expect(s3.object(Bucket, 'aborted')).toBeUndefined();
  });

  test('that was completed answers the same again, without looking at the condition', async () => {
    const id = await create('again');
    const only = await part('again', id, 1, 'x');
    const first = await complete('again', id, [only], { IfNoneMatch: '*' });
    const second = await complete('again', id, [only], { IfNoneMatch: '*' });
    expect(second.ETag).toBe(first.ETag);
    await expect(abort('again', id)).rejects.toMatchObject({ name: 'NoSuchUpload' });
    s3.behave({ completedAgain: 'NoSuchUpload' });
    await expect(complete('again', id, [only])).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test.each([
    ['atomic', 1],
    ['racy', 8],
  ] as const)(
    'of eight completed at once under an %s store: %i win',
    async (conditionalWrites, winners) => {
      s3.behave({ conditionalWrites });
      const key = `race-${conditionalWrites}`;
      const uploads = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const id = await create(key);
          return { id, only: await part(key, id, 1, 'x') };
        }),
      );
      const answers = await Promise.allSettled(
        uploads.map(({ id, only }) => complete(key, id, [only], { IfNoneMatch: '*' })),
      );
      expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(winners);
      const lost = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [answer.reason] : [],
      );
      expect(lost.every((error: Error) => error.name === 'PreconditionFailed')).toBe(true);
    },
  );

  test('and its parts are listed until the end, page by page', async () => {
    const id = await create('list/b');
    const ids = [await create('list/a'), await create('list/a'), id];
    for (const number of [3, 1, 2]) await part('list/b', id, number, 'x');
    const seen: (string | undefined)[] = [];
    let marker = {};
    for (let page = 0; page < 3; page += 1) {
      const answer = await client.send(
        new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', MaxUploads: 1, ...marker }),
      );
      seen.push(...(answer.Uploads ?? []).map(({ UploadId }) => UploadId));
      marker = { KeyMarker: answer.NextKeyMarker, UploadIdMarker: answer.NextUploadIdMarker };
      expect(answer.IsTruncated).toBe(page < 2);
    }
    expect(new Set(seen)).toEqual(new Set(ids));
    const parts = await client.send(
      new ListPartsCommand({ Bucket, Key: 'list/b', UploadId: id, PartNumberMarker: '1' }),
    );
    expect(parts.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([2, 3]);
  });
});

describe('faults', () => {
  test('hit the call they were ordered for', async () => {
    const slow = s3.faults.add({
      operation: 'CreateMultipartUpload',
      nth: 2,
      times: 2,
      fault: { do: 'fail', status: 503, code: 'SlowDown' },
    });
    await create('slow');
    await expect(create('slow')).rejects.toMatchObject({ name: 'SlowDown' });
    await expect(create('slow')).rejects.toMatchObject({ name: 'SlowDown' });
    await create('slow');
    expect(slow.hits).toBe(2);
  });

  test('answer 200 with an error inside', async () => {
    const id = await create('inside');
    const only = await part('inside', id, 1, 'x');
    s3.faults.add({
      operation: 'CompleteMultipartUpload',
      fault: { do: 'fail-in-200', code: 'InternalError' },
    });
    await expect(complete('inside', id, [only])).rejects.toMatchObject({ name: 'InternalError' });
    expect(s3.object(Bucket, 'inside')).toBeUndefined();
  });

  test.each([true, false])('lose the answer; applied: %s', async (applied) => {
    const key = `lost-${applied}`;
    const id = await create(key);
    const only = await part(key, id, 1, 'x');
    s3.faults.add({ operation: 'CompleteMultipartUpload', fault: { do: 'drop', applied } });
    await expect(complete(key, id, [only])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(s3.object(Bucket, key) !== undefined).toBe(applied);
  });

  test('apply a request late, or never answer it', async () => {
    const id = await create('late');
    const only = await part('late', id, 1, 'x');
    const late = Promise.withResolvers<void>();
    s3.faults.add({
      operation: 'CompleteMultipartUpload',
      fault: { do: 'apply-late', until: late.promise },
    });
    await expect(complete('late', id, [only])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(s3.object(Bucket, 'late')).toBeUndefined();
    late.resolve();
    await expect.poll(() => s3.object(Bucket, 'late')?.bytes).toBe(1);
    const silent = s3.faults.add({
      operation: 'AbortMultipartUpload',
      fault: { do: 'hang', applied: false },
    });
    const stop = new AbortController();
    const command = new AbortMultipartUploadCommand({ Bucket, Key: 'late', UploadId: id });
    const answer = client.send(command, { abortSignal: stop.signal });
    await silent.hit;
    stop.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('let an accepted Complete win over a later abort', async () => {
    const id = await create('assembled');
    const only = await part('assembled', id, 1, 'x');
    const ready = Promise.withResolvers<void>();
    const slow = s3.faults.add({
      operation: 'CompleteMultipartUpload',
      fault: { do: 'assemble', until: ready.promise },
    });
    const answer = complete('assembled', id, [only]);
    await slow.hit;
    await expect.poll(() => abort('assembled', id).then(() => 'dead')).toBe('dead');
    ready.resolve();
    await answer;
    expect((await s3.object(Bucket, 'assembled')?.content())?.toString()).toBe('x');
  });
});

describe('keeping hashes only', () => {
  test('still checks everything and knows the whole checksum, but has no content', async () => {
    const lean = await startS3({ buckets: [Bucket], keep: 'hash' });
    onTestFinished(() => lean[Symbol.asyncDispose]());
    const there = clientOf(lean);
    const Key = 'lean';
    const bytes = sample(5 * MIB + 10);
    const { UploadId } = await there.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ...FULL }),
    );
    const Parts: CompletedPart[] = [];
    for (const [index, Body] of [bytes.subarray(0, 5 * MIB), bytes.subarray(5 * MIB)].entries()) {
      const PartNumber = index + 1;
      const answer = await there.send(
        new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber,
          Body,
          ChecksumCRC64NVME: crc64(Body),
        }),
      );
      Parts.push({ PartNumber, ETag: answer.ETag });
    }
    await there.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    const object = lean.object(Bucket, Key);
    expect(object).toMatchObject({ bytes: bytes.length, checksum: { value: crc64(bytes) } });
    await expect(object?.content()).rejects.toThrow('hashes only');
    there.destroy();
  });
});

describe('an own process', () => {
  test('prints its endpoint and ends with whoever started it', async () => {
    const { spawn } = await import('node:child_process');
    const script = fileURLToPath(S3_SERVE_MODULE);
    const child = spawn(process.execPath, [script, '--bucket', 'lake', '--with-parent'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const line = await new Promise<string>((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    });
    const { endpoint, credentials } = JSON.parse(line) as Pick<
      S3Simulator,
      'endpoint' | 'credentials'
    >;
    const there = clientOf(s3, { endpoint, credentials });
    const answer = await there.send(new ListMultipartUploadsCommand({ Bucket: 'lake' }));
    expect(answer.Bucket).toBe('lake');
    there.destroy();
    child.stdin.end();
    expect(await ended).toBe(0);
  });
});
