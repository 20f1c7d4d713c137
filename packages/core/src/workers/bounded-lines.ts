import type { Readable } from 'node:stream';

/**
 * Calls back for each line, cut to so many bytes: the rest of a longer one is not kept anywhere. One that was cut ends
 * with `…`, by which the redactor knows that a secret may have been cut, too.
 */
export function boundedLines(
  stream: Readable,
  maxBytes: number,
  onLine: (line: string) => void,
): void {
  let held = Buffer.alloc(0);
  let isCut = false;
  const add = (part: Buffer) => {
    const room = maxBytes - held.length;
    isCut ||= part.length > room;
    if (room > 0) held = Buffer.concat([held, part.subarray(0, room)]);
  };
  const end = () => {
    if (held.length > 0) onLine(isCut ? cutText(held) : held.toString('utf8'));
    held = Buffer.alloc(0);
    isCut = false;
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

function cutText(bytes: Buffer): string {
  // With `stream`, the first bytes of a character that was cut apart are held back instead of shown as U+FFFD.
  return `${new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true })}…`;
}
