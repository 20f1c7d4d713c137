/**
 * CRC-64/NVME as arithmetic over GF(2), bit-reflected: the top bit of a number stands for x to the power of 0. All ones go in
 * and come out. NVM Express Command Set 1.1, 5.2.1.3.4
 */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

export const ONE: bigint = 1n << 63n;
export const X8: bigint = 1n << 55n;

export function timesX(value: bigint): bigint {
  return (value & 1n) === 1n ? (value >> 1n) ^ POLYNOMIAL : value >> 1n;
}

export function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = timesX(shifted);
  }
  return product;
}
