import type { S3Bucket } from './s3-bucket.ts';

/** Another process may be probing right now; none takes nearly as long. */
const OLD_MS = 60 * 60 * 1000;

/** Removes the objects of probes that were killed before they could take them away themselves. */
export async function forgetProbes(
  bucket: S3Bucket,
  folder: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { key, modifiedMs } of await bucket.objects(`${folder}/`, signal)) {
    if (nowMs - modifiedMs > OLD_MS) await bucket.remove(key, signal);
  }
}
