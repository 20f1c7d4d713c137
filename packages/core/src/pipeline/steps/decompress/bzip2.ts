import type { ByteReader } from '../byte-reader.ts';
import { bzip2Block } from './bzip2-block.ts';
import { BitReader } from './bit-reader.ts';
import { decompressFailed } from './failed.ts';

/**
 * The most that one block can take: 900,000 symbols of 20 bits, and its tables. That much is looked at before a block
 * is decoded, so that the decoding itself never has to wait.
 */
const MAX_BLOCK_BYTES = 2_400_000;
const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;

/**
 * One bzip2 stream, and no byte more, with the checksums of each block and of the whole. Written here because the
 * packages on npm either want the file in one piece or leave checksums and trailing bytes unchecked.
 */
export async function* bunzip2Stream(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const level = Number(Buffer.from(await reader.take(4)).toString('latin1', 3));
  let combined = 0;
  let bitOffset = 0;
  for (;;) {
    const bits = new BitReader(await reader.peek(MAX_BLOCK_BYTES), bitOffset);
    const magic = bits.read(24) * 2 ** 24 + bits.read(24);
    const crc = bits.read(16) * 2 ** 16 + bits.read(16);
    if (magic === END_MAGIC) {
      if (crc !== combined) throw decompressFailed('has a wrong checksum');
      await reader.take(Math.ceil(bits.position / 8));
      return;
    }
    if (magic !== BLOCK_MAGIC) throw decompressFailed('is damaged');
    yield* bzip2Block(bits, level * 100_000, crc);
    combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0;
    await reader.take(Math.floor(bits.position / 8));
    bitOffset = bits.position % 8;
  }
}
