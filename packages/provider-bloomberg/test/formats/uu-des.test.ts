import { gzipSync } from 'node:zlib';
import { isPluginError } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { desKey } from '../../src/formats/des-key.ts';
import { openUuDes } from '../../src/formats/uu-des.ts';
import { chunksOf, GETDATA, verdict } from './replies.ts';
import { sealed } from './sealed.ts';

// Confirmed against OpenSSL's DES_string_to_key.
test.each([
  ['foo', 'b37597adc21358f1'],
  ['A1b2C3d4', '43baa1da4a16b0f2'],
  ['longer-than-eight-chars', '25cbd589499210bf'],
  ['x'.repeat(17), 'a7ef625bdadc20f8'],
])('the key of the password %s is %s', (password, key) => {
  expect(desKey(password).toString('hex')).toBe(key);
});

describe('a uuencoded DES reply', () => {
  test('is opened, wherever it is cut into chunks', async () => {
    for (const size of [1, 2, 7, 61, 62, 63, 1_000_000])
      expect(await opened(sealed(GETDATA), size)).toBe(GETDATA);
  });

  test('is opened whatever its length', async () => {
    for (let length = 8; length < 100; length += 1) {
      const text = GETDATA.slice(0, length);
      expect(await opened(sealed(text))).toBe(text);
    }
  });

  test.each([
    ['blanks for zeros', sealed(GETDATA).replaceAll('`', ' ')],
    ['CRLF', sealed(GETDATA).replaceAll('\n', '\r\n')],
    ['no last line end', sealed(GETDATA).trimEnd()],
  ])('may have %s', async (_, text) => {
    expect(await opened(text)).toBe(GETDATA);
  });

  test('may hold a compressed reply, or an error', async () => {
    const zipped = gzipSync(GETDATA);
    expect(await opened(sealed(zipped.toString('latin1'), 'latin1'), 100, 'latin1')).toBe(
      zipped.toString('latin1'),
    );
    expect(await opened(sealed('## BAD\n'))).toBe('## BAD\n');
  });

  test('that is no such thing passes as it is', async () => {
    for (const text of [GETDATA, '', 'be', 'begin', 'beginning of something else'])
      for (const size of [1, 1_000_000]) expect(await opened(text, size)).toBe(text);
  });

  test.each([
    ['with another password', sealed(GETDATA, 'utf8', 'bar'), 'auth WRONG_KEY'],
    ['cut before "end"', sealed(GETDATA).replace('end\n', ''), 'integrity TRUNCATED'],
    ['cut inside a line', sealed(GETDATA).slice(0, 400), 'integrity MALFORMED'],
    ['with a line less', sealed(GETDATA).replace(/^(M.*\n)M.*\n/m, '$1'), 'integrity TRUNCATED'],
    ['with a character less', sealed(GETDATA).replace(/^(M.{10})./m, '$1'), 'integrity MALFORMED'],
    [
      'with garbage in it',
      sealed(GETDATA).replace(/^(M.{10})./m, '$1\u007F'),
      'integrity MALFORMED',
    ],
    ['followed by something', `${sealed(GETDATA)}more\n`, 'integrity MALFORMED'],
    [
      'with a bad first line',
      sealed(GETDATA).replace('begin 600', 'begin abc'),
      'integrity MALFORMED',
    ],
    ['with nothing in it', 'begin 600 px.out\n`\nend\n', 'integrity TRUNCATED'],
    ['with half a block', 'begin 600 px.out\n#86)C\n`\nend\n', 'integrity TRUNCATED'],
  ])('is refused %s', async (_, text, expected) => {
    for (const size of [1, 64, 1_000_000]) expect(await refusal(text, size)).toBe(expected);
  });

  test('that was changed is opened, because DES proves nothing; the inspection refuses what comes out', async () => {
    const [begin = '', first = '', second = '', ...rest] = sealed(GETDATA).split('\n');
    const changed = second.slice(0, 20) + (second[20] === 'A' ? 'B' : 'A') + second.slice(21);
    const damaged = await opened([begin, first, changed, ...rest].join('\n'), 100, 'latin1');
    expect(verdict(Buffer.from(damaged, 'latin1'))).toContain('integrity MALFORMED');
  });

  test('is given up as soon as the first block is wrong', async () => {
    let asked = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunksOf(sealed(GETDATA.repeat(100), 'utf8', 'bar'), 1_000)) {
        asked += 1;
        yield chunk;
      }
    }
    await expect(Array.fromAsync(openUuDes(source(), 'foo'))).rejects.toThrow(/DES password/);
    expect(asked).toBe(1);
  });
});

async function opened(
  text: string,
  size = 100,
  encoding: BufferEncoding = 'utf8',
): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunksOf(text, size);
  }
  const parts: Buffer[] = [];
  for await (const part of openUuDes(source(), 'foo')) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString(encoding);
}

async function refusal(text: string, size: number): Promise<string> {
  const error: unknown = await opened(text, size).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isPluginError(error) ? `${error.type} ${error.code}` : `no refusal: ${String(error)}`;
}
