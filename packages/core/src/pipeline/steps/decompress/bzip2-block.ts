import type { BitReader } from './bit-reader.ts';
import { decompressFailed } from './failed.ts';

const MAX_CODE_BITS = 20;
const GROUP_SIZE = 50;
const OUTPUT_BYTES = 256 * 1024;

/** CRC-32 as bzip2 has it: the highest bit first, unlike that of gzip. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** One Huffman table: codes of each length are consecutive numbers. */
interface Codes {
  readonly minBits: number;
  /** By length: the largest code, and what to subtract from a code to find its place in `symbols`. */
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

/**
 * Decodes one bzip2 block: Huffman codes, run lengths of zeros, move-to-front, Burrows-Wheeler, run lengths of bytes.
 * @throws PluginError `integrity` for damage and for a wrong checksum, the latter after the block's last byte
 */
export function* bzip2Block(
  bits: BitReader,
  maxBytes: number,
  expectedCrc: number,
): Generator<Uint8Array> {
  if (bits.read(1) === 1) throw decompressFailed('is of an obsolete kind of bzip2');
  const origin = bits.read(24);
  const used = readUsedBytes(bits);
  const { columns, length, counts } = readColumns(bits, used, maxBytes);
  if (origin >= length) throw damaged();
  linkColumns(columns, length, counts);
  yield* undoRuns(columns, length, origin, expectedCrc);
}

function readUsedBytes(bits: BitReader): number[] {
  const groups = bits.read(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.read(16);
    for (let i = 0; i < 16; i++) if (members & (0x8000 >> i)) used.push(group * 16 + i);
  }
  if (used.length === 0) throw damaged();
  return used;
}

function readColumns(
  bits: BitReader,
  used: number[],
  maxBytes: number,
): { columns: Uint32Array; length: number; counts: Uint32Array } {
  const endOfBlock = used.length + 1;
  const symbols = readSymbols(bits, endOfBlock);
  const front = Uint8Array.from(used);
  const columns = new Uint32Array(maxBytes);
  const counts = new Uint32Array(256);
  let length = 0;
  let symbol = symbols();
  while (symbol !== endOfBlock) {
    let run = 1;
    if (symbol < 2) {
      run = 0;
      for (let weight = 1; symbol < 2; weight *= 2) {
        run += weight << symbol;
        if (run > maxBytes) throw damaged();
        symbol = symbols();
      }
    } else {
      moveToFront(front, symbol - 1);
      symbol = symbols();
    }
    if (length + run > maxBytes) throw damaged();
    const byte = front[0] as number;
    columns.fill(byte, length, length + run);
    counts[byte] = (counts[byte] as number) + run;
    length += run;
  }
  return { columns, length, counts };
}

function readSymbols(bits: BitReader, endOfBlock: number): () => number {
  const tables = bits.read(3);
  const selectorCount = bits.read(15);
  if (tables < 2 || tables > 6 || selectorCount === 0) throw damaged();
  const selectors = readSelectors(bits, tables, selectorCount);
  const codes = Array.from({ length: tables }, () => readCodes(bits, endOfBlock + 1));
  let left = 0;
  let group = 0;
  let current = codes[0] as Codes;
  return () => {
    if (left === 0) {
      if (group >= selectors.length) throw damaged();
      current = codes[selectors[group++] as number] as Codes;
      left = GROUP_SIZE;
    }
    left -= 1;
    return readSymbol(bits, current);
  };
}

function readSelectors(bits: BitReader, tables: number, count: number): Uint8Array {
  const front = Uint8Array.from({ length: tables }, (_, index) => index);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= tables) throw damaged();
    selectors[i] = moveToFront(front, place);
  }
  return selectors;
}

function readCodes(bits: BitReader, symbolCount: number): Codes {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS) throw damaged();
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return codesOf(lengths);
}

function codesOf(lengths: Uint8Array): Codes {
  const symbols = new Uint16Array(lengths.length);
  const limit = new Int32Array(MAX_CODE_BITS + 2).fill(-1);
  const base = new Int32Array(MAX_CODE_BITS + 2);
  let place = 0;
  let code = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    base[bits] = code - place;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== bits) continue;
      symbols[place++] = symbol;
      limit[bits] = code++;
    }
    code *= 2;
  }
  return { minBits: Math.min(...lengths), limit, base, symbols };
}

function readSymbol(bits: BitReader, { minBits, limit, base, symbols }: Codes): number {
  const ahead = bits.peek(MAX_CODE_BITS);
  for (let length = minBits; length <= MAX_CODE_BITS; length++) {
    const code = ahead >>> (MAX_CODE_BITS - length);
    if (code > (limit[length] as number)) continue;
    bits.skip(length);
    return symbols[code - (base[length] as number)] ?? refuse();
  }
  return refuse();
}

function moveToFront(front: Uint8Array, place: number): number {
  const value = front[place] as number;
  front.copyWithin(1, 0, place);
  front[0] = value;
  return value;
}

/** Turns the last column into the chain of the Burrows-Wheeler transform: in each entry, next place and byte. */
function linkColumns(columns: Uint32Array, length: number, counts: Uint32Array): void {
  const places = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) {
    places[byte] = (places[byte - 1] as number) + (counts[byte - 1] as number);
  }
  for (let i = 0; i < length; i++) {
    const byte = (columns[i] as number) & 0xff;
    const place = places[byte] as number;
    places[byte] = place + 1;
    columns[place] = (columns[place] as number) | (i << 8);
  }
}

/** Four equal bytes are followed by a count of more. */
function* undoRuns(
  columns: Uint32Array,
  length: number,
  origin: number,
  expectedCrc: number,
): Generator<Uint8Array> {
  let output = new Uint8Array(OUTPUT_BYTES);
  let filled = 0;
  let crc = 0xffffffff;
  let place = (columns[origin] as number) >>> 8;
  let previous = -1;
  let equal = 0;
  for (let i = 0; i < length; i++) {
    const entry = columns[place] as number;
    const byte = entry & 0xff;
    place = entry >>> 8;
    let count = 1;
    let value = byte;
    if (equal === 4) {
      count = byte;
      value = previous;
      equal = 0;
      previous = -1;
    } else {
      equal = byte === previous ? equal + 1 : 1;
      previous = byte;
    }
    for (; count > 0; count--) {
      crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ value] as number);
      output[filled++] = value;
      if (filled < OUTPUT_BYTES) continue;
      yield output;
      output = new Uint8Array(OUTPUT_BYTES);
      filled = 0;
    }
  }
  if (equal === 4 || ~crc >>> 0 !== expectedCrc) throw decompressFailed('has a wrong checksum');
  if (filled > 0) yield output.subarray(0, filled);
}

function damaged(): Error {
  return decompressFailed('is damaged');
}

function refuse(): never {
  throw damaged();
}
