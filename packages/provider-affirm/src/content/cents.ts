/**
 * Reads a decimal amount such as `-55.73` as whole cents, without floating point on the way. At most two decimals and
 * twelve digits before them. `undefined` for everything else: thousands separators, signs of currency, exponents, nothing.
 */
export function parseCents(bytes: Uint8Array, start: number, end: number): number | undefined {
  const negative = bytes[start] === MINUS;
  let at = negative ? start + 1 : start;
  const first = at;
  let value = 0;
  for (; at < end && isDigit(bytes[at] as number); at += 1)
    value = value * 10 + (bytes[at] as number) - ZERO;
  if (at === first || at - first > MAX_DIGITS) return undefined;
  const decimals = at < end && bytes[at] === POINT ? end - at - 1 : at === end ? 0 : -1;
  if (decimals < 0 || decimals > 2 || (decimals === 0 && at < end)) return undefined;
  for (at += 1; at < end; at += 1) {
    if (!isDigit(bytes[at] as number)) return undefined;
    value = value * 10 + (bytes[at] as number) - ZERO;
  }
  const cents = decimals === 2 ? value : decimals === 1 ? value * 10 : value * 100;
  // Not `-cents`: that would make a negative zero out of `-0.00`.
  return negative ? 0 - cents : cents;
}

/** `-30` → `-0.30`. */
export function formatCents(cents: bigint): string {
  const digits = `${cents < 0n ? -cents : cents}`.padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const MAX_DIGITS = 12;
const [MINUS, POINT, ZERO, NINE] = [0x2d, 0x2e, 0x30, 0x39];

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
