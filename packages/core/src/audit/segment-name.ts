/** A segment is named for its first record, so that the order of names is the order of records: `000000000001.jsonl`. */
export function segmentName(firstNumber: number): string {
  return `${String(firstNumber).padStart(12, '0')}.jsonl`;
}

/** `undefined` for any other file. */
export function firstNumberOf(name: string): number | undefined {
  const digits = /^(\d{12})\.jsonl$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
