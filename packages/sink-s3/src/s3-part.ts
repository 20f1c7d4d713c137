/** One part on its way: the same bytes again until the store has them, or until it makes no sense. */
import { isPluginError, type Clock } from '@octo/plugin-api';
import { crcToBytes } from '@octo/crc64nvme';
import type { FilledPart } from './part-buffer.ts';
import type { NamedPart, PartBody, S3Bucket, UploadAddress, UploadedPart } from './s3-bucket.ts';

export interface PartRetry {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Told about every try that failed and is made again. */
  readonly onRetry: (error: unknown) => void;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

export class S3Part {
  readonly body: PartBody;
  readonly #release: () => void;
  #tries = 0;
  /** Set when the store has it. */
  named: NamedPart | undefined;
  /** Set when it was given up for now. */
  failure: unknown;

  constructor(number: number, filled: FilledPart) {
    const { bytes, chunks, md5, release } = filled;
    const crc64nvme = crcToBytes(filled.crc64nvme).toString('base64');
    this.body = { number, bytes, chunks, md5, crc64nvme };
    this.#release = release;
  }

  /** Never rejects: the outcome is in `named` or `failure`. */
  async send(
    bucket: S3Bucket,
    upload: UploadAddress,
    retry: PartRetry,
    signal: AbortSignal,
  ): Promise<void> {
    this.failure = undefined;
    try {
      const { etag, isFlushed } = await this.#trySeveralTimes(bucket, upload, retry, signal);
      const { number, crc64nvme } = this.body;
      this.named = { number, etag, crc64nvme };
      // A try that failed may have bytes on their way that nobody tells us about.
      if (isFlushed && this.#tries === 1) this.#release();
    } catch (error) {
      this.failure = error;
    }
  }

  async #trySeveralTimes(
    bucket: S3Bucket,
    upload: UploadAddress,
    { clock, random, onRetry }: PartRetry,
    signal: AbortSignal,
  ): Promise<UploadedPart> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#tries += 1;
        return await bucket.uploadPart(upload, this.body, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= ATTEMPTS || !isWorthAnother(error)) throw error;
        onRetry(error);
        await clock.sleep(pauseMs(error, attempt, random), signal);
      }
    }
  }
}

function isWorthAnother(error: unknown): boolean {
  if (!isPluginError(error)) return false;
  // Bytes that were changed on their way are refused; ours are still the right ones.
  if (error.code === 'BAD_DIGEST') return true;
  return error.type === 'network' || error.type === 'provider_down' || error.type === 'rate_limit';
}

function pauseMs(error: unknown, attempt: number, random: () => number): number {
  const asked = isPluginError(error) ? error.retryAfterMs : undefined;
  const grown = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return asked ?? grown * (0.5 + random() / 2);
}
