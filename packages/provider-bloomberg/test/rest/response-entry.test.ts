import { expect, test } from 'vitest';
import { remoteFile, responseEntry } from '../../src/rest/response-entry.ts';

const ENTRY = {
  key: 'octoEod-20260115T220444.csv',
  headers: {
    'Content-Type': 'text/csv',
    'Content-Length': '1234',
    'Last-Modified': 'Thu, 15 Jan 2026 22:04:44 GMT',
    Digest: 'sha512=abc',
  },
  metadata: {
    DL_REQUEST_ID: 'octoEod',
    DL_REQUEST_NAME: 'endOfDay',
    DL_REQUEST_TYPE: 'DataRequest',
    DL_SNAPSHOT_START_TIME: '2026-01-15T22:04:44',
    DL_SNAPSHOT_TZ: 'America/New_York',
  },
};

test('an entry becomes a complete file with words for its key', () => {
  const entry = responseEntry(ENTRY);
  expect(entry).toMatchObject({ digest: 'sha512=abc', size: 1234, requestId: 'octoEod' });
  expect(remoteFile(entry, 1234)).toEqual({
    path: ENTRY.key,
    name: ENTRY.key,
    size: 1234,
    mtimeMs: Date.UTC(2026, 0, 15, 22, 4, 44),
    complete: true,
    fields: {
      request: 'endOfDay',
      requestId: 'octoEod',
      requestType: 'DataRequest',
      snapshotDate: '2026-01-15',
      snapshotTime: '220444',
      timezone: 'America/New_York',
    },
  });
});

test('what an entry does not say is no word', () => {
  const { fields } = responseEntry({ key: 'octoEod-20260115.csv', headers: ENTRY.headers });
  expect(fields).toEqual({ request: 'octoEod', requestId: 'octoEod' });
});

test('names of headers may be spelled in any case', () => {
  const headers = Object.entries(ENTRY.headers).map(([name, value]) => [name.toUpperCase(), value]);
  const entry = responseEntry({ ...ENTRY, headers: Object.fromEntries(headers) as object });
  expect(entry).toEqual(responseEntry(ENTRY));
});

test.each([
  ['none', undefined],
  ['no number', 'many'],
  ['a negative one', '-1'],
])('a length that is %s is not known', (_, length) => {
  const headers = { ...ENTRY.headers, 'Content-Length': length };
  expect(responseEntry({ ...ENTRY, headers }).size).toBeUndefined();
});

test('the length of what is stored compressed is not that of the content', () => {
  const headers = { ...ENTRY.headers, 'Content-Encoding': 'gzip' };
  expect(responseEntry({ ...ENTRY, headers }).size).toBeUndefined();
});

test.each([
  ['UNSAFE_NAME', { key: 'a/..' }],
  ['UNSAFE_NAME', { key: 'folder/' }],
  ['UNSAFE_NAME', { key: 'a\nb.csv' }],
  ['UNSAFE_NAME', { key: 'a\u202Evsc.csv' }],
  ['UNSAFE_NAME', { key: `${'é'.repeat(128)}.csv` }],
  ['NO_TIME', { headers: { ...ENTRY.headers, 'Last-Modified': 'yesterday' } }],
])('an entry that cannot be a file is refused alone (%s): %j', (code, change) => {
  const file = remoteFile(responseEntry({ ...ENTRY, ...change }), 1);
  expect(file.refused).toMatch(new RegExp(`^${code}: `));
  expect(file.refused).not.toMatch(/\p{C}/u);
});

test('a key may have folders, of which the name is the last', () => {
  expect(remoteFile(responseEntry({ ...ENTRY, key: 'a/b.csv' }), 1)).toMatchObject({
    path: 'a/b.csv',
    name: 'b.csv',
  });
});

test.each([{}, { key: '' }, { key: 7 }])(
  'an entry without a key (%j) spoils the listing',
  (entry) => {
    expect(() => responseEntry(entry)).toThrow(/no key/);
  },
);
