import type { Readable } from 'node:stream';

/** Calls back for each line, cut to so many bytes: the rest of a longer one is not kept anywhere. */
export function boundedLines(
  stream: Readable,
  maxBytes: number,
  onLine: (line: string) => void,
): void {
  let held = Buffer.alloc(0);
  let isFull = false;
  const add = (part: Buffer) => {
    if (isFull) return;
    held = Buffer.concat([held, part.subarray(0, maxBytes - held.length)]);
    isFull = held.length >= maxBytes;
  };
  const end = () => {
    if (held.length > 0) onLine(held.toString('utf8'));
    held = Buffer.alloc(0);
    isFull = false;
  };
  stream.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, at));
      end();
      start = at + 1;
    }
    add(chunk.subarray(start));
  });
  stream.on('end', end);
  stream.on('error', () => {});
}
