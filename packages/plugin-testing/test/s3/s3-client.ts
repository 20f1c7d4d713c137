import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Simulator } from '../../src/s3/start-s3.ts';

/** The real SDK with its defaults, pointed at the simulator. */
export function clientOf(s3: S3Simulator, config: Partial<S3ClientConfig> = {}): S3Client {
  return new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: s3.credentials,
    ...config,
  });
}

/** Bytes that look random and are the same every time. */
export function sample(bytes: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return Buffer.from(words.buffer).subarray(0, bytes);
}
