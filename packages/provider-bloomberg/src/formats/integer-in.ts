/** The whole number, of at most nine digits, between `start` and `end`; `NaN` for anything else. */
export function integerIn(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS && start < end;
  let at = negative ? start + 1 : start;
  let value = at < end && end - at <= 9 ? 0 : NaN;
  for (; at < end; at += 1) {
    const digit = (bytes[at] as number) - ZERO;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : NaN;
  }
  return negative ? -value : value;
}

const [MINUS, ZERO] = [0x2d, 0x30];
