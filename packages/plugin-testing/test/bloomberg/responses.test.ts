import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBloombergRest, type BloombergRest } from '../../src/index.ts';
import { call } from './rest-client.ts';

let rest: BloombergRest;
beforeEach(async () => {
  rest = await startBloombergRest();
});
afterEach(() => rest[Symbol.asyncDispose]());

const KEY = 'octoEod-20260115T220444.csv';
const BODY = 'DL_REQUEST_ID,RC\n'.repeat(500);
const LISTING = '/catalogs/1234/content/responses/';

test('a response that was published is listed with its headers and metadata', async () => {
  rest.publish({ key: KEY, body: BODY, modifiedMs: Date.UTC(2026, 0, 15, 22, 4, 44) });
  const { contains } = (await call(rest, LISTING)).json();
  expect(contains).toMatchObject([
    {
      key: KEY,
      headers: {
        'Content-Type': 'text/csv',
        'Content-Length': String(BODY.length),
        'Last-Modified': 'Thu, 15 Jan 2026 22:04:44 GMT',
        Digest: `sha512=${createHash('sha512').update(BODY).digest('base64')}`,
      },
      metadata: { DL_REQUEST_ID: 'octoEod' },
    },
  ]);
});

test('a download is plain unless gzip is asked for', async () => {
  rest.publish({ key: KEY, body: BODY });
  const plain = await call(rest, LISTING + KEY);
  expect(plain.bytes.toString()).toBe(BODY);
  expect(plain.headers['content-encoding']).toBeUndefined();
  const zipped = await call(rest, LISTING + KEY, { headers: { 'accept-encoding': 'gzip' } });
  expect(zipped.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(zipped.bytes).toString()).toBe(BODY);
});
