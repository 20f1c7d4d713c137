import { createHash, timingSafeEqual } from 'node:crypto';
import { CfbWindow } from './cfb-window.ts';
import { decryptFailed } from './failed.ts';

/** The packet at the end that holds the SHA-1 of all before it (RFC 9580, 5.13.1). */
const MDC_HEADER = [0xd3, 0x14] as const;
const MDC_BYTES = 22;

/**
 * The content of a SEIPD packet of version 1. It comes before its proof: only when it ends without error does the
 * modification detection code hold. The random prefix is hashed and not looked at: whoever is told that its repetition
 * is wrong can use us to decrypt with (RFC 9580, 13.4).
 *
 * @param body of the packet, after its version
 * @throws PluginError `integrity` at the end
 */
export async function* openSeipd1(
  body: AsyncIterable<Uint8Array>,
  algorithm: string,
  key: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const window = new CfbWindow(algorithm, key, MDC_BYTES);
  const sha1 = createHash('sha1');
  let prefix = window.blockBytes + 2;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length;) {
      at += window.add(chunk, at);
      if (!window.full) continue;
      const plain = window.decryptBatch();
      sha1.update(plain);
      yield plain.subarray(prefix);
      prefix = 0;
    }
  }
  const last = window.decryptRest();
  const end = last.length - MDC_BYTES;
  if (end < prefix) throw decryptFailed(new Error('too short for its MDC'));
  const [tag, length] = last.subarray(end);
  const digest = sha1.update(last.subarray(0, end + MDC_HEADER.length)).digest();
  const holds = timingSafeEqual(digest, last.subarray(end + MDC_HEADER.length));
  if (!holds || tag !== MDC_HEADER[0] || length !== MDC_HEADER[1]) {
    throw decryptFailed(new Error('modification detected'));
  }
  yield last.subarray(prefix, end);
}
