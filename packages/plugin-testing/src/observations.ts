import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { isPluginError } from '@octo/plugin-api';

/** What the contract suites write, and the words in which they compare what they see. */

/** A signal that is never aborted. */
export const quiet: AbortSignal = new AbortController().signal;

/** Deterministic bytes without a short period. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < size; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** Compares fast and reads well in a failure. */
export function inWords(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'nothing';
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The type of the PluginError that `work` rejects with; anything else is no answer a host understands. */
export async function errorTypeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isPluginError(error)) return error.type;
  return error === undefined ? 'no error' : `not a PluginError: ${inspect(error)}`;
}
