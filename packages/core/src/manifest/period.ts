const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `15s`, `5m`, `1h`, `1d` in milliseconds; `undefined` for anything else. */
export function periodMs(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,5})(s|m|h|d)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN);
}
