import { once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Redactor } from '../../src/observe/redactor.ts';
import { boundedLines } from '../../src/workers/bounded-lines.ts';

async function linesOf(chunks: readonly (string | Uint8Array)[], maxBytes: number) {
  const lines: string[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  boundedLines(stream, maxBytes, (line) => lines.push(line));
  await once(stream, 'end');
  return lines;
}

test('a line that comes in pieces is whole, and one that just fits is not cut', async () => {
  expect(await linesOf(['ab', 'cd\ne', 'f', 'gh'], 4)).toEqual(['abcd', 'efgh']);
});

test('a longer line is cut, and says so', async () => {
  expect(await linesOf(['abc', 'de', 'f\nnext\n'], 4)).toEqual(['abcd…', 'next']);
  expect(await linesOf(['abcd', 'e'], 4)).toEqual(['abcd…']);
});

test('a character that is cut apart is left out', async () => {
  expect(await linesOf(['abcé!'], 4)).toEqual(['abc…']);
});

test.each([1, 2, 7, 100])(
  'a secret in pieces of %i bytes is hidden wherever it is cut',
  async (size) => {
    const secret = 'c0rrect-hörse-battery';
    const redactor = new Redactor();
    redactor.add([secret]);
    const text = Buffer.from(`at ${secret} and on`);
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
      text.subarray(index * size, (index + 1) * size),
    );
    for (let most = 7; most < text.length; most += 1) {
      const [line = ''] = await linesOf(pieces, most);
      expect(redactor.redact(line)).toMatch(/^at \[secret\]/);
    }
  },
);
