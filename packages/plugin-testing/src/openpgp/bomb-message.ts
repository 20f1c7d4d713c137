import { encryptedStream, type EncryptedMessageOptions } from './encrypted-message.ts';

/** A small message that unpacks to `bytes` zeros. */
export async function bombMessage(
  bytes: number,
  options: EncryptedMessageOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encryptedStream(zeros(bytes), { compression: 'zlib', ...options })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(1024 * 1024);
  for (let left = bytes; left > 0; left -= chunk.length) {
    yield chunk.subarray(0, Math.min(left, chunk.length));
  }
}
