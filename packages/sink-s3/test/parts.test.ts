import { ManualClock, proofOf, type S3Simulator } from '@octo/plugin-testing';
import { Crc64Nvme } from '@octo/crc64nvme';
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  BUCKET,
  configFor,
  failureOf,
  MIB,
  openSink,
  quiet,
  sample,
  simulator,
  sinkOf,
  staged,
} from './open-sink.ts';

const BYTES = sample(17 * MIB);

let s3: S3Simulator;
beforeEach(async () => {
  s3 = await simulator();
});

/** Meets only parts of the tests' object, not those of the probe. */
const forKey = (key: string): boolean => key === 'in/lake/key';

describe('a part', () => {
  test.each([
    ['a cut connection', { do: 'drop', applied: false }],
    ['a lost answer', { do: 'drop', applied: true }],
    ['500', { do: 'fail', status: 500, code: 'InternalError' }],
    ['bytes that changed on their way', { do: 'fail', status: 400, code: 'BadDigest' }],
    ['a request that came too slowly', { do: 'fail', status: 400, code: 'RequestTimeout' }],
  ] as const)('is sent again, the same bytes, after %s', async (_, fault) => {
    const { sink, clock, logger } = await openSink(s3);
    const armed = s3.faults.add({ operation: 'UploadPart', nth: 2, times: 2, forKey, fault });
    const upload = await staged(sink, 'key', BYTES);
    await upload.commit(proofOf(BYTES), quiet);
    expect(armed.hits).toBe(2);
    expect(clock.pausesMs).toHaveLength(2);
    expect(logger.messages()).toContain('part is sent again');
    expect(await s3.object(BUCKET, 'in/lake/key')?.sha256()).toBe(
      createHash('sha256').update(BYTES).digest('hex'),
    );
  });

  test('is sent more slowly when the store asks for it', async () => {
    const { sink, clock } = await openSink(s3, { concurrency: 2 });
    s3.faults.add({
      operation: 'UploadPart',
      forKey,
      fault: { do: 'fail', status: 503, code: 'SlowDown', retryAfterSeconds: 7 },
    });
    const upload = await staged(sink, 'key', BYTES);
    await upload.commit(proofOf(BYTES), quiet);
    expect(clock.pausesMs).toEqual([7000]);
  });

  test('takes over the sums of the chunks that lie in one part', async () => {
    const { sink } = await openSink(s3);
    const summed = vi.spyOn(Crc64Nvme.prototype, 'update');
    onTestFinished(() => summed.mockRestore());
    const chunks = Array.from({ length: 17 }, (_, n) => BYTES.subarray(n * MIB, (n + 1) * MIB));
    await using upload = await sink.stage({ key: 'key', metadata: {} }, quiet);
    for (const chunk of chunks) await upload.write(chunk, quiet);
    // A sum is remembered for the very chunk, not for another view of its bytes.
    const passed = new Set(summed.mock.calls.map(([bytes]) => bytes));
    expect(chunks.filter((chunk) => passed.has(chunk))).toHaveLength(17);
  });

  test('is given up after five tries, as what the last one was', async () => {
    const { sink, clock } = await openSink(s3);
    const armed = s3.faults.add({
      operation: 'UploadPart',
      times: 99,
      forKey,
      fault: { do: 'fail', status: 503, code: 'SlowDown' },
    });
    const upload = await staged(sink, 'key', sample(100));
    const failure = await failureOf(upload.commit(proofOf(sample(100)), quiet));
    expect(failure).toMatchObject({ type: 'rate_limit', code: 'SLOW_DOWN' });
    expect(armed.hits).toBe(5);
    expect(clock.pausesMs).toHaveLength(4);
    s3.faults.clear();
    expect(await upload.commit(proofOf(sample(100)), quiet)).toMatchObject({
      outcome: 'committed',
    });
  });

  test('of an upload that somebody aborted is refused to its writer as not found', async () => {
    const { sink } = await openSink(s3, { concurrency: 1 });
    const upload = await staged(sink, 'key', sample(100));
    await sink.abort({ key: 'key', id: upload.id }, quiet);
    const failure = await failureOf(writeAll(upload, BYTES));
    expect(failure).toMatchObject({ type: 'not_found', code: 'NO_SUCH_UPLOAD' });
    expect(await upload.commit(proofOf(BYTES), quiet)).toEqual({ outcome: 'gone' });
  });

  test('that is refused for good stops the upload at its writer', async () => {
    const { sink, clock } = await openSink(s3, { concurrency: 1 });
    const upload = await staged(sink, 'key', sample(100));
    s3.denied.add('s3:PutObject');
    expect((await failureOf(writeAll(upload, BYTES))).type).toBe('auth');
    expect(clock.pausesMs).toEqual([]);
  });

  test('that gets no answer is given up at its deadline, not for ever', async () => {
    const clock = new ManualClock();
    const sink = sinkOf(configFor(s3), clock);
    onTestFinished(() => sink[Symbol.asyncDispose]());
    await sink.start(quiet);
    const silent = s3.faults.add({
      operation: 'UploadPart',
      times: 99,
      forKey,
      fault: { do: 'hang', applied: false },
    });
    const upload = await staged(sink, 'key', sample(100));
    const answer = failureOf(upload.commit(proofOf(sample(100)), quiet));
    for (let tries = 1; tries <= 5; tries += 1) {
      await expect.poll(() => silent.hits).toBe(tries);
      await clock.advance(900_000);
      if (tries < 5) {
        await clock.untilSleeping();
        await clock.advance(10_000);
      }
    }
    expect(await answer).toMatchObject({ type: 'network', code: 'TIMEOUT' });
  });

  test('that stands still is given up by the socket', async () => {
    const timeouts = { ...configFor(s3).timeouts, idleMs: 1000 };
    const { sink } = await openSink(s3, { timeouts });
    s3.faults.add({ operation: 'UploadPart', forKey, fault: { do: 'hang', applied: false } });
    const upload = await staged(sink, 'key', sample(100));
    expect(await upload.commit(proofOf(sample(100)), quiet)).toMatchObject({
      outcome: 'committed',
    });
  });

  test('in flight is cut off when its upload is released', async () => {
    const { sink } = await openSink(s3);
    const silent = s3.faults.add({
      operation: 'UploadPart',
      forKey,
      fault: { do: 'hang', applied: false },
    });
    const upload = await staged(sink, 'key', sample(6 * MIB));
    await silent.hit;
    await upload[Symbol.asyncDispose]();
    await upload[Symbol.asyncDispose]();
    await sink.abort({ key: 'key', id: upload.id }, quiet);
    expect(s3.uploads(BUCKET)).toEqual([]);
  });
});

describe('an upload', () => {
  test('is no further ahead of the store than its parts in flight and one more', async () => {
    const { sink } = await openSink(s3, { concurrency: 2 });
    const release = Promise.withResolvers<void>();
    const held = s3.faults.add({
      operation: 'UploadPart',
      times: 99,
      forKey,
      fault: { do: 'hold', until: release.promise },
    });
    const upload = await sink.stage({ key: 'key', metadata: {} }, quiet);
    let accepted = 0;
    const writing = (async () => {
      for (let at = 0; at < 40 * MIB; at += MIB) {
        await upload.write(new Uint8Array(MIB), quiet);
        accepted += MIB;
      }
    })();
    await expect.poll(() => held.hits).toBe(2);
    await expect.poll(() => accepted).toBe(14 * MIB);
    release.resolve();
    await writing;
    await upload.commit(proofOf(new Uint8Array(40 * MIB)), quiet);
    expect(s3.object(BUCKET, 'in/lake/key')?.parts).toBe(8);
  });

  test('of 200 MiB keeps memory flat', { timeout: 60_000 }, async () => {
    const lean = await simulator({ keep: 'hash' });
    const { sink } = await openSink(lean, { concurrency: 2 });
    const chunk = sample(MIB);
    const upload = await sink.stage({ key: 'big', metadata: {} }, quiet);
    await writeAll(upload, Buffer.alloc(20 * MIB));
    const before = external();
    let most = 0;
    for (let i = 0; i < 180; i += 1) {
      await upload.write(chunk.slice(), quiet);
      most = Math.max(most, external() - before);
    }
    await upload[Symbol.asyncDispose]();
    // Three parts of 5 MiB, what the simulator has on its side, and garbage that is not collected yet.
    expect(most).toBeLessThan(80 * MIB);
  });
});

function external(): number {
  return process.memoryUsage().arrayBuffers;
}

async function writeAll(
  upload: { write(chunk: Uint8Array, signal: AbortSignal): Promise<void> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += MIB) {
    await upload.write(bytes.subarray(at, at + MIB), quiet);
  }
}
