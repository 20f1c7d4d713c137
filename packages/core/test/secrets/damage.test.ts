import { beforeAll, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { newIdentity, recipientOf, sealFor, unseal } from '../../src/secrets/age-file.ts';
import { MemoryDisk } from './memory-disk.ts';
import {
  diskWithStore,
  KEY_FILE,
  keyOn,
  NOTE_FILE,
  setOn,
  STORE_FILE,
  storeOn,
  valueOn,
} from './memory-store.ts';

const VALUE = 'v4lue-that-nobody-may-see'.repeat(137);
/** Reads at a time, so that the loop does not wait for each. */
const BATCH = 64;
/** Some 4,000 reads take four seconds of a processor, and others may need it, too. */
const PATIENCE_MS = 120_000;

let files: Map<string, Uint8Array>;
let sealed: Uint8Array;
beforeAll(async () => {
  const disk = await diskWithStore(VALUE, await newIdentity());
  await setOn(disk, `${VALUE}!`);
  files = disk.files;
  sealed = files.get(STORE_FILE)!;
});

/** The same disk with another file in the place of one. */
function having(path: string, bytes: Uint8Array | string | undefined): MemoryDisk {
  const others = [...files].filter(([name]) => name !== path);
  const own = bytes === undefined ? [] : ([[path, Buffer.from(bytes)]] as const);
  return new MemoryDisk(new Map([...others, ...own]));
}

/** The code with which a store is refused, after a look at the message: one line that tells nothing. */
async function refusal(disk: MemoryDisk): Promise<string> {
  const before = disk.calls;
  const error = await valueOn(disk).then(
    (value) => new Error(`opened: ${value === `${VALUE}!`}`),
    (reason: unknown) => reason as Error,
  );
  if (!(error instanceof OctoError)) throw error;
  expect(error.message).not.toMatch(/\n|v4lue|AGE-SECRET/);
  expect(disk.calls).toBe(before);
  return error.code;
}

test(
  'each byte of a store of 4 KB changed: each is found, and said in one line',
  async () => {
    expect(Math.abs(sealed.length - 4096)).toBeLessThan(100);
    const codes = new Map<string, number>();
    for (let from = 0; from < sealed.length; from += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, sealed.length - from) }, (_, index) => {
        const changed = Uint8Array.from(sealed);
        changed[from + index]! ^= 1 << ((from + index) % 8);
        return refusal(having(STORE_FILE, changed));
      });
      for (const code of await Promise.all(batch)) codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].toSorted()).toEqual([
      'OCTO_SECRETS_DAMAGED',
      'OCTO_SECRETS_OTHER_KEY',
    ]);
    expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(sealed.length);
  },
  PATIENCE_MS,
);

test('a store that was cut off anywhere is refused', async () => {
  const lengths = [...Array.from({ length: 60 }, (_, n) => n * 70), sealed.length - 1].filter(
    (length) => length < sealed.length,
  );
  const codes = await Promise.all(
    lengths.map((length) => refusal(having(STORE_FILE, sealed.subarray(0, length)))),
  );
  expect(new Set(codes)).toEqual(new Set(['OCTO_SECRETS_DAMAGED']));
});

test.each([
  ['nothing', ''],
  ['text', '{"db":"hunter2"}'],
  ['something after its end', undefined],
])('a file with %s is no store', async (_, text) => {
  const bytes = text ?? Buffer.concat([sealed, Buffer.from('\n')]);
  expect(await refusal(having(STORE_FILE, bytes))).toBe('OCTO_SECRETS_DAMAGED');
});

test('another key does not open it', async () => {
  expect(await refusal(having(KEY_FILE, await newIdentity()))).toBe('OCTO_SECRETS_OTHER_KEY');
});

test('a store that is gone is missed', async () => {
  expect(await refusal(having(STORE_FILE, undefined))).toBe('OCTO_SECRETS_NOT_FOUND');
});

/** What is in the store, changed, and sealed again by somebody who knows the public half of the key alone. */
async function forged(change: (text: string) => string): Promise<MemoryDisk> {
  const { identity, recipient } = await keyOn(new MemoryDisk(files));
  const text = Buffer.from(await unseal(identity, sealed)).toString();
  return having(STORE_FILE, await sealFor([recipient], Buffer.from(change(text))));
}

test.each([
  ['another value', (text: string) => text.replace('v4lue', 'v5lue')],
  ['another grant', (text: string) => text.replace('"lake"', '"*"')],
  ['a higher revision', (text: string) => text.replace('"revision": 3', '"revision": 4')],
  ['another name', (text: string) => text.replace('"db"', '"db2"')],
  ['no code', (text: string) => text.replace(/"mac": "[0-9a-f]+"/, '"mac": ""')],
  ['no codes at all', (text: string) => text.replace(/"macs": .*/s, '"macs": []}')],
  ['no JSON', (text: string) => text.slice(1)],
  ['another shape', () => '{"format":1}'],
])('a store sealed by somebody without the key is refused: %s', async (_, change) => {
  expect(await refusal(await forged(change))).toBe('OCTO_SECRETS_DAMAGED');
});

test('a store of a newer Octo is left alone', async () => {
  const disk = await forged((text) => text.replace('"format": 1', '"format": 2'));
  expect(await refusal(disk)).toBe('OCTO_SECRETS_NEWER');
});

test('secrets that were swapped between two stores of one key are found', async () => {
  const { identity, recipient } = await keyOn(new MemoryDisk(files));
  const other = await diskWithStore('of the other', identity);
  await setOn(other, 'of the other, as often changed');
  const theirs = Buffer.from(await unseal(identity, other.files.get(STORE_FILE)!)).toString();
  const entries = /"entries": \[.*?\n {2}\]/s;
  const withCodes = /"entries": \[.*/s;
  for (const part of [entries, withCodes]) {
    const disk = await forged((text) => text.replace(part, part.exec(theirs)?.[0] ?? ''));
    expect(await refusal(disk)).toBe('OCTO_SECRETS_DAMAGED');
  }
  expect(await recipientOf(identity)).toBe(recipient);
});

test('an older store, another one, and one of the same revision are refused until somebody accepts them', async () => {
  const older = having(STORE_FILE, files.get(`${STORE_FILE}.previous`)!);
  expect(await refusal(older)).toBe('OCTO_SECRETS_ROLLED_BACK');
  const { identity } = await keyOn(older);
  const ahead = await diskWithStore('of another', identity);
  await setOn(ahead, 'that has come further');
  await setOn(ahead, 'and further');
  const another = ahead.files.get(STORE_FILE)!;
  expect(await refusal(having(STORE_FILE, another))).toBe('OCTO_SECRETS_ROLLED_BACK');
  const twin = new MemoryDisk(files);
  const before = new MemoryDisk(older.files);
  await storeOn(before).accept();
  expect(await valueOn(before)).toBe(VALUE);
  const fork = new MemoryDisk(new Map([...older.files].filter(([path]) => path !== NOTE_FILE)));
  await setOn(fork, 'of the same revision');
  const same = new MemoryDisk(new Map([...twin.files, [STORE_FILE, fork.files.get(STORE_FILE)!]]));
  expect(await refusal(same)).toBe('OCTO_SECRETS_ROLLED_BACK');
});

test('what was accepted is newer than whatever was seen before, here and elsewhere', async () => {
  const older = having(STORE_FILE, files.get(`${STORE_FILE}.previous`)!);
  const { revision } = await storeOn(older).accept();
  expect(revision).toBe(4);
  const elsewhere = having(STORE_FILE, older.files.get(STORE_FILE)!);
  expect(await valueOn(elsewhere)).toBe(VALUE);
});

test('a note that says nothing closes the store until somebody accepts it', async () => {
  const disk = having(NOTE_FILE, '{}');
  expect(await refusal(disk)).toBe('OCTO_SECRETS_ROLLED_BACK');
  await storeOn(disk).accept();
  expect(await valueOn(disk)).toBe(`${VALUE}!`);
});

test('a store that came further elsewhere is taken, and noted', async () => {
  const further = new MemoryDisk(files);
  await setOn(further, 'one more');
  await setOn(further, 'two more');
  const here = having(STORE_FILE, further.files.get(STORE_FILE)!);
  expect(await valueOn(here)).toBe('two more');
  expect(Buffer.from(here.files.get(NOTE_FILE)!).toString()).toContain('"revision":5');
  const back = new MemoryDisk(new Map([...here.files, [STORE_FILE, sealed]]));
  expect(await refusal(back)).toBe('OCTO_SECRETS_ROLLED_BACK');
});
