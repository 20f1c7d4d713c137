import { multiply, ONE, X8 } from './polynomial.ts';

/** Joins CRCs of neighbouring pieces; keeps the factors of lengths it has seen, as most parts are equally long. */
export class CrcJoiner {
  readonly #factors = new Map<number, bigint>();

  /** The CRC of `left` followed by `right`, which is `rightBytes` long. */
  join(left: bigint, right: bigint, rightBytes: number): bigint {
    return this.#moved(left, rightBytes) ^ right;
  }

  /** The other way: the CRC of the last `rightBytes`, from the one of everything and the one of what is before them. */
  rest(left: bigint, whole: bigint, rightBytes: number): bigint {
    return this.#moved(left, rightBytes) ^ whole;
  }

  #moved(left: bigint, bytes: number): bigint {
    const factor = this.#factors.get(bytes) ?? powerOfX8(bytes);
    this.#factors.set(bytes, factor);
    return multiply(left, factor);
  }
}

function powerOfX8(exponent: number): bigint {
  let result = ONE;
  let square = X8;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}
