import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBloombergRest, type BloombergRest } from '../../src/index.ts';
import { call, tokenFor, type Answered, type CallOptions } from './rest-client.ts';

let rest: BloombergRest;
beforeEach(async () => {
  rest = await startBloombergRest();
});
afterEach(() => rest[Symbol.asyncDispose]());

const KEY = 'octoEod-20260115T220444.csv';
const BODY = Array.from({ length: 2000 }, (_, i) => `octoEod,${i},${i * i}\n`).join('');
const LISTING = '/catalogs/1234/content/responses/';
const GZIP = { 'accept-encoding': 'gzip' };

const sha512 = (bytes: string | Buffer) => createHash('sha512').update(bytes).digest('base64');
const get = (options: CallOptions = {}, key = KEY) => call(rest, LISTING + key, options);
const part = (range: string, options: CallOptions = {}) =>
  get({ ...options, headers: { ...GZIP, range } });

interface Listing {
  readonly contains: readonly { readonly key: string }[];
  readonly totalItems: number;
  readonly view: { readonly next?: string };
}
const list = async (query = '') => (await call(rest, LISTING + query)).json() as unknown as Listing;
const keysOf = ({ contains }: Listing) => contains.map(({ key }) => key);

test('a response that was published is listed with its headers and metadata', async () => {
  rest.publish({
    key: KEY,
    body: BODY,
    modifiedMs: Date.UTC(2026, 0, 15, 22, 4, 44),
    snapshotMs: 0,
  });
  expect((await list()).contains).toEqual([
    {
      key: KEY,
      headers: {
        'Content-Type': 'text/csv',
        'Content-Length': BODY.length,
        'Last-Modified': 'Thu, 15 Jan 2026 22:04:44 GMT',
        Digest: `sha512=${sha512(BODY)}`,
      },
      metadata: {
        DL_REQUEST_ID: 'octoEod',
        DL_REQUEST_NAME: '',
        DL_REQUEST_TYPE: 'DataRequest',
        DL_SNAPSHOT_START_TIME: '1970-01-01T00:00:00',
        DL_SNAPSHOT_TZ: 'Etc/UTC',
      },
    },
  ]);
});

test('nothing delivered yet is an empty listing, or 404 as it was of old', async () => {
  expect(await list()).toMatchObject({ totalItems: 0, contains: [] });
  rest.faults.emptyIs404 = true;
  expect((await call(rest, LISTING)).status).toBe(404);
});

test('listings are filtered', async () => {
  rest.publish({
    key: 'a-1.csv',
    body: 'x',
    requestName: 'first',
    snapshotMs: Date.UTC(2026, 0, 1),
  });
  rest.publish({ key: 'a-2.csv', body: 'x', requestId: 'b', snapshotMs: Date.UTC(2026, 0, 2) });
  rest.publish({ key: 'c-1.csv', body: 'x', snapshotMs: Date.UTC(2026, 0, 3) });
  expect(keysOf(await list('?prefix=a-'))).toEqual(['a-1.csv', 'a-2.csv']);
  expect(keysOf(await list('?requestIdentifier=b'))).toEqual(['a-2.csv']);
  expect(keysOf(await list('?requestName=first'))).toEqual(['a-1.csv']);
  const since = '?snapshotStartDateTime=2026-01-02T00:00:00';
  expect(keysOf(await list(since))).toEqual(['a-2.csv', 'c-1.csv']);
  expect(keysOf(await list(`${since}&snapshotEndDateTime=2026-01-02T12:00:00Z`))).toEqual([
    'a-2.csv',
  ]);
});

test('the newest response comes first', async () => {
  rest.publish({ key: 'a', body: 'x', modifiedMs: 1000 });
  rest.publish({ key: 'b', body: 'x', modifiedMs: 3000 });
  rest.publish({ key: 'c', body: 'x', modifiedMs: 2000 });
  expect(keysOf(await list())).toEqual(['b', 'c', 'a']);
});

test('pages are linked until the last, and keep their filter', async () => {
  for (const key of ['b', 'a-3', 'a-1', 'a-2']) rest.publish({ key, body: 'x', modifiedMs: 1000 });
  const first = await list('?prefix=a-&limit=2');
  expect(keysOf(first)).toEqual(['a-1', 'a-2']);
  const second = await list(first.view.next);
  expect(keysOf(second)).toEqual(['a-3']);
  expect(second.view.next).toBeUndefined();
});

test('a page may be linked by the bare token', async () => {
  for (const key of ['a', 'b']) rest.publish({ key, body: 'x', modifiedMs: 1000 });
  rest.faults.bareTokens = true;
  const first = await list('?limit=1');
  expect(keysOf(await list(`?limit=1&next=${first.view.next}`))).toEqual(['b']);
});

test.for([
  '?limit=0',
  '?limit=x',
  '?limit=1001',
  '?next=%21',
  '?colour=red',
  '?snapshotStartDateTime=x',
])('the query %s is refused', async (query) => {
  const { json, status } = await call(rest, LISTING + query);
  expect(status).toBe(400);
  expect(json()).toMatchObject({ errors: [{ source: { location: 'query' } }] });
});

test('a download is plain unless gzip is asked for', async () => {
  rest.publish({ key: KEY, body: BODY });
  const plain = await get();
  expect(plain.bytes.toString()).toBe(BODY);
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.headers['digest']).toBe(`sha512=${sha512(BODY)}`);
  const zipped = await get({ headers: GZIP });
  expect(zipped.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(zipped.bytes).toString()).toBe(BODY);
  expect(
    (await get({ headers: { 'accept-encoding': 'gzip;q=0, br' } })).headers,
  ).not.toHaveProperty('content-encoding');
});

test('HEAD tells the same and sends nothing', async () => {
  rest.publish({ key: KEY, body: BODY });
  const plain = await get({ method: 'HEAD' });
  expect(plain.headers['content-length']).toBe(String(BODY.length));
  expect(plain.bytes).toHaveLength(0);
  const zipped = await get({ method: 'HEAD', headers: GZIP });
  expect(Number(zipped.headers['content-length'])).toBeLessThan(BODY.length);
});

test('ranges of the gzip fit together', async () => {
  rest.publish({ key: KEY, body: BODY });
  const first = await part('bytes=0-999');
  expect(first.status).toBe(206);
  const total = Number(/^bytes 0-999\/(\d+)$/.exec(first.headers['content-range'] ?? '')?.[1]);
  const rest_ = await part('bytes=1000-');
  expect(rest_.headers['content-range']).toBe(`bytes 1000-${total - 1}/${total}`);
  expect(gunzipSync(Buffer.concat([first.bytes, rest_.bytes])).toString()).toBe(BODY);
  const last = await part('bytes=-10');
  expect(last.bytes).toEqual(rest_.bytes.subarray(-10));
  const beyond = await part(`bytes=${total - 1}-${total + 500}`);
  expect(beyond.bytes).toHaveLength(1);
});

test('a range behind the end is answered with 416 and the size', async () => {
  rest.publish({ key: KEY, body: BODY });
  const total = (await get({ headers: GZIP })).bytes.length;
  for (const range of [`bytes=${total}-`, 'bytes=-0']) {
    const { headers, status } = await part(range);
    expect([status, headers['content-range']]).toEqual([416, `bytes */${total}`]);
  }
});

/** Status and whether everything came. */
const told = ({ bytes, headers, status }: Answered) => [
  status,
  (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString() === BODY,
];
const WHOLE = [200, true];

test('a range without gzip is ignored, and so is one that makes no sense', async () => {
  rest.publish({ key: KEY, body: BODY });
  expect(told(await get({ headers: { range: 'bytes=0-9' } }))).toEqual(WHOLE);
  const identity = { range: 'bytes=0-9', 'accept-encoding': 'identity' };
  expect(told(await get({ headers: identity }))).toEqual(WHOLE);
  for (const range of ['bytes=5-2', 'bytes=0-1,3-4', 'lines=0-9', 'bytes=-'])
    expect(told(await part(range))).toEqual(WHOLE);
});

test('a server may ignore ranges, or gzip, altogether', async () => {
  rest.publish({ key: KEY, body: BODY });
  rest.faults.ignoreRanges = true;
  expect(told(await part('bytes=0-9'))).toEqual(WHOLE);
  rest.faults.withoutGzip = true;
  expect((await part('bytes=0-9')).bytes.toString()).toBe(BODY);
});

test('archives are sent as they are only', async () => {
  rest.publish({ key: 'ticks-1.parquet', body: 'PAR1' });
  expect((await get({ headers: GZIP }, 'ticks-1.parquet')).status).toBe(406);
  const headers = { 'accept-encoding': 'identity' };
  expect((await get({ headers }, 'ticks-1.parquet')).bytes.toString()).toBe('PAR1');
});

test('a digest may be of the gzip, absent, or wrong', async () => {
  rest.publish({ key: 'gzip', body: BODY, digest: 'gzip' });
  rest.publish({ key: 'absent', body: BODY, digest: 'absent' });
  rest.publish({ key: 'wrong', body: BODY });
  rest.faults.wrongDigest('wrong');
  const ofGzip = await get({ headers: GZIP }, 'gzip');
  expect(ofGzip.headers['digest']).toBe(`sha512=${sha512(ofGzip.bytes)}`);
  expect((await get({}, 'absent')).headers['digest']).toBeUndefined();
  const wrong = (await get({}, 'wrong')).headers['digest'];
  expect(wrong).toMatch(/^sha512=.{88}$/);
  expect(wrong).not.toBe(`sha512=${sha512(BODY)}`);
});

test('a download is cut after so many bytes, so many times', async () => {
  rest.publish({ key: KEY, body: BODY });
  rest.faults.cutAfterBytes(KEY, 100);
  await expect(get()).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  expect((await get()).bytes.toString()).toBe(BODY);
});

test('a download falls silent after so many bytes, and its connection stays', async () => {
  rest.publish({ key: KEY, body: BODY });
  rest.faults.stallAfterBytes(KEY, 100);
  const url = new URL(rest.url + LISTING + KEY);
  const jwt = tokenFor(rest, { method: 'GET', url, nowMs: Date.now() });
  const asked = httpRequest(url, { agent: false, headers: { jwt, 'api-version': '2' } });
  const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
  const [chunk] = (await once(response, 'data')) as [Buffer];
  expect(chunk).toHaveLength(100);
  // Whatever else is asked for meanwhile is answered.
  expect((await get()).bytes.toString()).toBe(BODY);
  expect(response.complete).toBe(false);
  expect(response.destroyed).toBe(false);
  asked.on('error', () => {}).destroy();
});

test('a response that is issued again has other bytes and is younger', async () => {
  rest.publish({ key: KEY, body: BODY, requestId: 'octoEod', requestName: 'eod' });
  const before = (await get()).headers;
  rest.replace(KEY, 'other');
  const after = await get();
  expect(after.bytes.toString()).toBe('other');
  expect(Date.parse(after.headers['last-modified'] ?? '')).toBeGreaterThan(
    Date.parse(before['last-modified'] ?? ''),
  );
  expect((await list()).contains).toMatchObject([{ metadata: { DL_REQUEST_NAME: 'eod' } }]);
  rest.remove(KEY);
  expect((await get()).status).toBe(404);
});

test('other catalogues are not ours, and the slash at the end of an address may be left out', async () => {
  expect((await call(rest, '/catalogs/bbg/content/responses/')).status).toBe(403);
  expect((await call(rest, '/catalogs/9999/content/responses/')).status).toBe(404);
  expect((await call(rest, '/catalogs/1234/content/responses')).status).toBe(200);
  expect((await call(rest, '/catalogs/1234/contents/')).status).toBe(404);
  expect((await call(rest, LISTING, { method: 'DELETE' })).status).toBe(405);
});

test('the account is the catalogue whose subscription is scheduled', async () => {
  const { contains } = (await call(rest, '/catalogs/')).json();
  expect(contains).toMatchObject([
    { identifier: 'bbg' },
    { identifier: '1234', subscriptionType: 'scheduled' },
  ]);
});

test('the latest snapshot of a dataset is somewhere else', async () => {
  const at = (snapshot: string) => `/catalogs/bbg/datasets/equityNamr/snapshots/${snapshot}/`;
  rest.publishSnapshot({ dataset: 'equityNamr', snapshot: '20260114', file: 'a.csv', body: 'old' });
  rest.publishSnapshot({ dataset: 'equityNamr', snapshot: '20260115', file: 'a.csv', body: 'new' });
  rest.publishSnapshot({
    dataset: 'other',
    snapshot: '1',
    file: 'a',
    body: 'x',
    subscribed: false,
  });
  const { headers, status } = await call(rest, `${at('latest')}distributions/a.csv`);
  expect([status, headers['location']]).toEqual([303, `/eap${at('20260115')}distributions/a.csv`]);
  expect((await call(rest, `${at('20260115')}distributions/a.csv`)).bytes.toString()).toBe('new');
  const { contains } = (await call(rest, '/catalogs/bbg/datasets/?subscribed=true')).json();
  expect(contains).toMatchObject([{ identifier: 'equityNamr' }]);
  expect((await call(rest, '/catalogs/bbg/datasets/other/')).status).toBe(403);
  expect((await call(rest, at('20260113'))).status).toBe(404);
});
