import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Checkpoint, checkpointsIn } from './checkpoint.ts';

/** More than a checkpoint's line has: one that two chunks share is found where they are put together. */
const OVERLAP = 256;

/**
 * Every checkpoint of one log in a file, whatever else the file holds and however large it is; of one whose name ends with
 * `.gz`, as logs that are turned over have it, in what was packed. One may be told twice.
 * @throws the error of the system or of zlib when the file cannot be read to its end
 */
export async function* checkpointsInFile(
  file: string,
  log: string,
): AsyncGenerator<Checkpoint, void, void> {
  let rest = '';
  for await (const chunk of contentOf(file)) {
    // What is looked for is ASCII: no letter of it is lost where a chunk ends within another one.
    const text = rest + chunk.toString('latin1');
    for (const found of checkpointsIn(text, log)) yield { ...found, mac: copied(found.mac) };
    rest = text.slice(-OVERLAP);
  }
}

async function* contentOf(file: string): AsyncGenerator<Buffer, void, void> {
  const stored = createReadStream(file);
  if (!file.endsWith('.gz')) {
    yield* stored as AsyncIterable<Buffer>;
    return;
  }
  const unpacked = createGunzip();
  // What breaks it breaks the reading below, too.
  pipeline(stored, unpacked).catch(() => {});
  yield* unpacked as AsyncIterable<Buffer>;
}

/** A piece of a text keeps all of the text in memory. */
function copied(hex: string): string {
  return Buffer.from(hex, 'latin1').toString('latin1');
}
