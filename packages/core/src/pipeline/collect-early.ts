/**
 * Sets V8's garbage collection up for what a pipeline leaves behind: buffers, of which its heap holds only handles of a few
 * bytes. With its own settings it looked away until there were dozens of megabytes of dead ones, and then marked the whole
 * heap, 60 to 150 times for each GiB: up to half of the CPU of a run.
 *
 * - The young generation stays at a megabyte instead of growing to 16, and is collected whenever a few megabytes have passed:
 *   so most buffers are gone soon after their last use, for next to nothing, and their memory is used again while it is warm.
 * - The whole heap is marked when heap and buffers are five times what the last time left, and not a third more. Both are
 *   small: some 12 to 20 MB each. With three times a worker, whose heap is smaller than that of a whole host, still marked 129
 *   times for a GiB of OpenPGP.
 *
 * V8 reads the flags when it decides, so they may be set at any time; sooner is better.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Measured from 2 to 32 MiB, each byte counted as it comes and as it goes. With less, chunks that wait for their turn grow old
 * and V8 marks after all, 31 times a GiB from SFTP; with 24 and more it begins to mark by itself; in between it did it twice.
 */
const COLLECT_EVERY_BYTES = 16 * 1024 ** 2;

let collectYoung: (() => void) | undefined;
let passed = 0;

export function collectEarly(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=400');
  collectYoung ??= youngCollector();
}

/** Tells that so many bytes came in a buffer of their own, which is soon done with. */
export function bytesPassed(bytes: number): void {
  passed += bytes;
  if (passed < COLLECT_EVERY_BYTES) return;
  passed = 0;
  collectYoung?.();
}

/** V8 hands its collector only to a context that is made after the flag is set. */
function youngCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  return () => collect({ type: 'minor' });
}
