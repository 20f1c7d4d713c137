const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

/** Bytes from `256MiB`, `256M`, `1GiB` or a plain number. @throws RangeError */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (number === '' || factor === undefined)
    throw new RangeError(`'${text}' is no size; write it as 256MiB`);
  return Number(number) * factor;
}
