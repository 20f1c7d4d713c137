const CR = 0x0d;
const LF = 0x0a;

/**
 * `text` with CRLF for every LF that has none, as signatures of texts are computed (RFC 9580, 5.2.4).
 * @param afterCr whether a CR came before `text`
 */
export function withCrlf(text: Uint8Array, afterCr: boolean): Uint8Array {
  const out = new Uint8Array(2 * text.length);
  let length = 0;
  let last = afterCr ? CR : 0;
  for (const byte of text) {
    if (byte === LF && last !== CR) out[length++] = CR;
    out[length++] = byte;
    last = byte;
  }
  return out.subarray(0, length);
}
