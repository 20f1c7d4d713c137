import { ManualClock, proofOf, RecordingLogger, type S3Options } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import {
  BUCKET,
  configFor,
  failureOf,
  openSink,
  quiet,
  sample,
  simulator,
  sinkOf,
  staged,
} from './open-sink.ts';

const BYTES = sample(500);

describe('the probe', () => {
  test('finds atomic conditional commits, and leaves nothing behind', async () => {
    const s3 = await simulator();
    const { sink, logger } = await openSink(s3);
    expect(sink.commits).toBe('conditional');
    expect(s3.objects(BUCKET)).toEqual([]);
    expect(s3.uploads(BUCKET)).toEqual([]);
    const keys = s3.requests.flatMap(({ key }) => key ?? []);
    expect(keys.every((key) => key.startsWith('in/lake/.octo-probe/'))).toBe(true);
    expect(logger.messages('warn')).toEqual([]);
  });

  test('takes away what a killed one has left, but not what another is about to use', async () => {
    const s3 = await simulator();
    const { sink } = await openSink(s3);
    await using left = await staged(sink, '.octo-probe/killed/twice', BYTES);
    await left.commit(proofOf(BYTES), quiet);
    await (await openSink(s3)).sink[Symbol.asyncDispose]();
    expect(s3.objects(BUCKET)).toHaveLength(1);
    const tomorrow = new ManualClock(Date.now() + 24 * 3_600_000);
    await sinkOf(configFor(s3), tomorrow, new RecordingLogger()).start(quiet);
    expect(s3.objects(BUCKET)).toEqual([]);
  });

  test.each([
    // Lets all of eight at once win.
    'racy',
    // Does not look at the condition.
    'ignored',
    // Does not know the condition.
    'refused',
  ] as const)('of a %s store finds a single writer', async (conditionalWrites) => {
    const s3 = await simulator({ conditionalWrites });
    const { sink, logger } = await openSink(s3);
    expect(sink.commits).toBe('single-writer');
    expect(logger.messages('warn')).toHaveLength(1);
    expect(s3.objects(BUCKET)).toEqual([]);
    // One after the other, nothing is overwritten all the same.
    const first = await staged(sink, 'key', BYTES);
    const second = await staged(sink, 'key', sample(600));
    expect(await first.commit(proofOf(BYTES), quiet)).toMatchObject({ outcome: 'committed' });
    expect(await second.commit(proofOf(sample(600)), quiet)).toEqual({ outcome: 'exists' });
    const etag = s3.object(BUCKET, 'in/lake/key')?.etag ?? '';
    const third = await staged(sink, 'key', sample(700));
    const wrong = { ...proofOf(sample(700)), replace: { etag: '"wrong"' } };
    expect(await third.commit(wrong, quiet)).toEqual({ outcome: 'exists' });
    expect(await third.commit({ ...wrong, replace: { etag } }, quiet)).toMatchObject({
      outcome: 'committed',
    });
    expect(s3.object(BUCKET, 'in/lake/key')?.bytes).toBe(700);
  });

  test('refuses to stage in a store that loses metadata', async () => {
    const s3 = await simulator({ dropsMultipartMetadata: true });
    const { sink } = await openSink(s3);
    expect(await failureOf(sink.stage({ key: 'key', metadata: {} }, quiet))).toMatchObject({
      type: 'validation',
      code: 'METADATA_LOST',
    });
    expect(s3.objects(BUCKET)).toEqual([]);
  });

  test('refuses to stage in a store where an aborted upload comes back', async () => {
    const s3 = await simulator();
    const forKey = (key: string): boolean => key.endsWith('/aborted');
    // The abort is answered and not done.
    s3.faults.add({
      operation: 'AbortMultipartUpload',
      times: 9,
      forKey,
      fault: { do: 'fail', status: 204, code: 'Nothing' },
    });
    const { sink } = await openSink(s3);
    expect(await failureOf(sink.stage({ key: 'key', metadata: {} }, quiet))).toMatchObject({
      type: 'validation',
      code: 'ABORT_NOT_FINAL',
    });
    expect(s3.objects(BUCKET)).toEqual([]);
  });

  test('goes without a contest where its objects could not be deleted', async () => {
    const s3 = await simulator();
    s3.denied.add('s3:DeleteObject');
    const { sink, logger } = await openSink(s3);
    expect(sink.commits).toBe('single-writer');
    expect(logger.messages('warn')).toHaveLength(1);
    expect(s3.requests.every(({ operation }) => operation !== 'CreateMultipartUpload')).toBe(true);
    const upload = await staged(sink, 'key', BYTES);
    expect(await upload.commit(proofOf(BYTES), quiet)).toMatchObject({ outcome: 'committed' });
  });

  test('is made up for at the first upload when the store is down at the start', async () => {
    const port = await freePort();
    const options: S3Options = { port };
    const down = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1' };
    const credentials = { accessKeyId: 'AKIAOCTO', secretAccessKey: 'secret' };
    const { sink, logger } = await openSink({ ...down, credentials });
    expect(logger.messages('info')).toEqual(['store could not be probed yet']);
    expect(logger.messages('warn')).toEqual([]);
    expect(sink.commits).toBe('single-writer');
    expect((await failureOf(sink.stage({ key: 'key', metadata: {} }, quiet))).type).toBe('network');
    await simulator({ ...options, credentials });
    const uploads = await Promise.all([staged(sink, 'a', BYTES), staged(sink, 'b', BYTES)]);
    expect(sink.commits).toBe('conditional');
    for (const upload of uploads) {
      expect(await upload.commit(proofOf(BYTES), quiet)).toMatchObject({ outcome: 'committed' });
    }
  });

  test('that is stopped stops the start, and takes away what it had made', async () => {
    const s3 = await simulator();
    const sink = sinkOf(configFor(s3));
    const stop = new AbortController();
    const reason = new Error('stopped');
    const silent = s3.faults.add({
      operation: 'CompleteMultipartUpload',
      nth: 2,
      fault: { do: 'hang', applied: true },
    });
    const started = sink.start(stop.signal);
    await silent.hit;
    stop.abort(reason);
    await expect(started).rejects.toBe(reason);
    expect(s3.objects(BUCKET)).toEqual([]);
    expect(s3.uploads(BUCKET)).toEqual([]);
    await sink[Symbol.asyncDispose]();
  });
});

async function freePort(): Promise<number> {
  const s3 = await simulator();
  await s3[Symbol.asyncDispose]();
  return s3.port;
}
