/**
 * The loop that everything is about. Four words of a block are summed up beside each other, so that the processor need not
 * wait for one look into a table before the next: word `n` of each step belongs to sum `n`, which jumps over the other three.
 * At the end the sums are one again. Kadatch and Jenkins, "Everything we know about CRC but afraid to forget", 2010; zlib does
 * its CRC-32 so as well.
 */
import * as wasm from './assemble.ts';
import { timesX } from './polynomial.ts';

/** As far as we need it; the types are part of the browser's, which this project leaves out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly run: (crc: bigint, at: bigint, last: bigint) => bigint;
    };
  };
};

export interface Kernel {
  /** Where to put what is to be summed up: up to a block of bytes. */
  readonly block: Uint8Array;
  /** The remainder after so many bytes of the block, which must be a multiple of {@link STEP}, from the one before. */
  run(remainder: bigint, bytes: number): bigint;
}

const WORD = 8;
const SUMS = 4;
/** Bytes a step; the last step is done apart, so there are two at least. */
export const STEP: number = WORD * SUMS;
export const LEAST: number = 2 * STEP;
const BLOCK_BYTES = 64 * 1024;
const PAGE_BYTES = 64 * 1024;

/** Table `k` has, for each byte, its remainder when `k` zero bytes follow. */
const TABLES = STEP;
const TABLE_BYTES = 256 * WORD;
const BLOCK_AT = TABLES * TABLE_BYTES;

const CRC = 0;
const AT = 1;
const LAST = 2;
const WORDS = [3, 4, 5, 6];
const REMAINDERS = [7, 8, 9, 10];

export function createKernel(): Kernel {
  const pages = Math.ceil((BLOCK_AT + BLOCK_BYTES) / PAGE_BYTES);
  const bytes = wasm.assemble(program(), { parameters: 3, locals: 8, pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, run } = exports;
  fillTables(new BigUint64Array(memory.buffer, 0, TABLES * 256));
  return {
    block: new Uint8Array(memory.buffer, BLOCK_AT, BLOCK_BYTES),
    run: (remainder, length) =>
      BigInt.asUintN(64, run(remainder, BigInt(BLOCK_AT), BigInt(BLOCK_AT + length - STEP))),
  };
}

/** From the remainder, the address of the first word and that of the last step to the remainder. */
function program(): wasm.Code {
  const first = wasm.set(REMAINDERS[0]!, wasm.get(CRC));
  const words = WORDS.flatMap((word, sum) =>
    wasm.set(word, wasm.xor(wordAt(sum), wasm.get(REMAINDERS[sum]!))),
  );
  const step = [
    ...words,
    ...WORDS.flatMap((word, sum) => wasm.set(REMAINDERS[sum]!, followedBy(word, STEP - WORD))),
    ...wasm.set(AT, wasm.plus(wasm.get(AT), STEP)),
  ];
  const steps = wasm.repeatWhileLess(step, wasm.get(AT), wasm.get(LAST));
  const last = WORDS.flatMap((word, sum) => [
    ...wasm.set(word, wasm.xor(wordAt(sum), wasm.get(REMAINDERS[sum]!), wasm.get(CRC))),
    ...wasm.set(CRC, followedBy(word, 0)),
  ]);
  return [...first, ...steps, ...wasm.set(CRC, wasm.i64(0)), ...last, ...wasm.get(CRC)];
}

function wordAt(index: number): wasm.Code {
  return wasm.load(wasm.address(AT), WORD * index);
}

/** The remainder of a word that so many zero bytes follow: one entry for each of its bytes. */
function followedBy(word: wasm.Local, zeros: number): wasm.Code {
  const [first = [], ...rest] = Array.from({ length: WORD }, (_, byte) =>
    wasm.load(wasm.entry(wasm.get(word), byte), (zeros + WORD - 1 - byte) * TABLE_BYTES),
  );
  return wasm.xor(first, ...rest);
}

function fillTables(tables: BigUint64Array): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = BigInt(byte);
    for (let table = 0; table < TABLES; table += 1) {
      for (let bit = 0; bit < 8; bit += 1) remainder = timesX(remainder);
      tables[256 * table + byte] = remainder;
    }
  }
}
