/**
 * The few instructions of WebAssembly that the kernel is made of, as bytes, and a module around them. An instruction takes its
 * operands as code and comes out as code, so a program reads like an expression. webassembly.github.io/spec/core/binary
 */
export type Code = readonly number[];

/** A local variable of 64 bits, by its index. */
export type Local = number;

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const i64 = (value: number): Code => [0x42, ...signed(value)];
const i32 = (value: number): Code => [0x41, ...signed(value)];

export const xor = (first: Code, ...rest: readonly Code[]): Code => [
  ...first,
  ...rest.flatMap((code) => [...code, 0x85]),
];
/** Eight bytes from memory, little-endian, at an address of 32 bits and a constant number of bytes behind it. */
export const load = (address: Code, offset: number): Code => [
  ...address,
  0x29,
  0,
  ...unsigned(offset),
];
/** The address of an entry of eight bytes: eight bits of a word, from bit `8 * byte` on, times eight. */
export const entry = (word: Code, byte: number): Code => {
  const shifted = byte === 0 ? [...word, ...i64(3), 0x86] : [...word, ...i64(8 * byte - 3), 0x88];
  return [...shifted, 0xa7, ...i32(0xff * 8), 0x71];
};
/** A local of 64 bits as an address. */
export const address = (local: Local): Code => [...get(local), 0xa7];
export const plus = (value: Code, constant: number): Code => [...value, ...i64(constant), 0x7c];
/** Does it once, and again as long as `a` is less than `b`, unsigned. */
export const repeatWhileLess = (body: Code, a: Code, b: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...a,
  ...b,
  0x54,
  0x0d,
  0,
  0x0b,
];

const MAGIC_AND_VERSION: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/**
 * A module with one function `run` of `parameters` numbers of 64 bits and a memory, `memory`.
 * @param locals how many there are beside the parameters
 * @param pages of 64 KiB
 */
export function assemble(
  program: Code,
  { parameters, locals, pages }: Record<'parameters' | 'locals' | 'pages', number>,
): Uint8Array<ArrayBuffer> {
  const code = [1, ...unsigned(locals), I64, ...program, 0x0b];
  const type = [0x60, ...vector(Array.from({ length: parameters }, () => [I64])), 1, I64];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, vector([type])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, ...unsigned(pages)]])),
    ...section(
      7,
      vector([
        [...text('memory'), 2, 0],
        [...text('run'), 0, 0],
      ]),
    ),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}

const I64 = 0x7e;

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  return [...unsigned(value.length), ...Buffer.from(value)];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const last = value >= -0x40 && value < 0x40;
  return last ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
