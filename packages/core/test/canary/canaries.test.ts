import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Canaries, spellingsOf } from './canaries.ts';
import { findInFolder } from './places.ts';

const secret = 'a "secret" +/ of\\the=vendor?';
/** As others would write it down. */
const PLANTED: Readonly<Record<string, string>> = {
  raw: secret,
  'base64 at 0': Buffer.from(secret).toString('base64'),
  'base64 at 1': Buffer.from(`:${secret}`).toString('base64'),
  'base64 at 2': Buffer.from(`u:${secret}!`).toString('base64'),
  hex: Buffer.from(secret).toString('hex'),
  HEX: Buffer.from(secret).toString('hex').toUpperCase(),
  url: `https://u:${encodeURIComponent(secret)}@vendor.test/`,
  'url in lower case': encodeURIComponent(secret).toLowerCase(),
  json: JSON.stringify({ text: secret }),
};

test.each(Object.entries(PLANTED))(
  'the search finds a secret that is written as %s',
  (form, text) => {
    const canaries = new Canaries();
    canaries.add('slot', secret);
    canaries.make('another slot');
    expect(canaries.find(`before ${text} behind`, 'here')).toContain(`slot, as ${form}, in here`);
    expect(canaries.find(Buffer.from(text), 'bytes')).toContain(`slot, as ${form}, in bytes`);
  },
);

test('the search finds base64url where it differs from base64', () => {
  const canaries = new Canaries();
  canaries.add('slot', '>>>???>>>???>>>???');
  expect(canaries.find(Buffer.from('>>>???>>>???>>>???').toString('base64url'), 'here')).toContain(
    'slot, as base64url at 0, in here',
  );
});

test('the search finds each line of a key, and secrets in names of files and in files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-canary-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const canaries = new Canaries();
  canaries.add(
    'key',
    '-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line-of-it\n-----END KEY-----',
  );
  const token = canaries.make('token', { awkward: false });
  await mkdir(join(folder, token));
  await writeFile(join(folder, 'log'), 'cannot parse second-line-of-it');
  await writeFile(join(folder, 'left-out'), token);
  const found = await findInFolder(canaries, folder, (path) => path === 'left-out');
  expect(found).toEqual(
    expect.arrayContaining([
      `token, as raw, in the name of ${token}`,
      'key, as raw, in the file log',
    ]),
  );
  expect(found.filter((one) => one.includes('left-out'))).toEqual([]);
});

test('no two secrets are the same, and each is spelled in many ways', () => {
  const canaries = new Canaries();
  for (let index = 0; index < 40; index++) canaries.make(`slot ${index}`);
  expect(new Set(canaries.slots.values()).size).toBe(40);
  expect(spellingsOf(canaries.make('one more')).length).toBeGreaterThan(8);
});
