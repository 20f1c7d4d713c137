import { createCipheriv } from 'node:crypto';
import { desKey } from '../../src/formats/des-key.ts';

/** What the vendor would send: padded, DES in CBC mode, uuencoded. */
export function sealed(text: string, encoding: BufferEncoding = 'utf8', password = 'foo'): string {
  const plain = Buffer.from(text, encoding);
  const padded = Buffer.alloc(Math.floor(plain.length / 8) * 8 + 8, 0x5a);
  plain.copy(padded);
  padded[padded.length - 1] = plain.length % 8;
  const key = desKey(password);
  const cipher = createCipheriv('des-ede3-cbc', Buffer.concat([key, key, key]), Buffer.alloc(8));
  const bytes = cipher.setAutoPadding(false).update(padded);
  const lines = Array.from({ length: Math.ceil(bytes.length / 45) }, (_, i) =>
    uuLine(bytes.subarray(45 * i, 45 * i + 45)),
  );
  return ['begin 600 px0115a.out', ...lines, '`', 'end', ''].join('\n');
}

function uuLine(bytes: Buffer): string {
  const base64 = Buffer.concat([bytes, Buffer.alloc((3 - (bytes.length % 3)) % 3)]).toString(
    'base64',
  );
  const text = base64.replaceAll(/./g, (letter) => uuCharacter(BASE64.indexOf(letter)));
  return uuCharacter(bytes.length) + text;
}

function uuCharacter(value: number): string {
  return value === 0 ? '`' : String.fromCharCode(32 + value);
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
