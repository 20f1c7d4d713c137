const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `20GiB`, `512`, or a plain number, in bytes; `undefined` for anything else and for more than 2^53 - 1. */
export function byteSize(value: string | number): number | undefined {
  const match = /^([1-9][0-9]{0,15})(B|KiB|MiB|GiB|TiB)?$/.exec(String(value));
  if (match === null) return undefined;
  const bytes = Number(match[1]) * 1024 ** UNITS.indexOf(match[2] ?? 'B');
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
