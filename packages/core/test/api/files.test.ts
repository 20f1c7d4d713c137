import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Delivery } from '../../src/ledger/delivery.ts';
import { openSite, type Site } from './site.ts';

const PLACE = 'file:///lake';
const keyAt = (key: string, index: number) => (index === 0 ? key : `${key}~${index + 1}`);
const sha = (text: string) => createHash('sha256').update(text).digest();

let site: Site;
let all: Record<string, string>;
beforeAll(async () => {
  site = await openSite();
  all = await site.headers('admin');
  await discover('trades', 'a.csv', 'b.csv');
  await discover('affirm-us', 'settlement_1.csv', 'settlement_2.csv', 'settlement_3.csv');
});
afterAll(() => site[Symbol.asyncDispose]());

async function discover(pipeline: string, ...names: readonly string[]): Promise<void> {
  const versions = names.map((name) => ({
    path: `out/${name}`,
    name,
    size: 3,
    mtimeMs: 1000,
    location: name,
    key: name,
  }));
  await site.ledger.discover({ pipeline, sink: PLACE }, versions);
}

async function claimed(pipeline: string): Promise<Delivery> {
  const wish = { pipeline, sink: PLACE, leaseMs: 60_000, keyAt, onReissue: 'version' } as const;
  return (await site.ledger.claim(wish))!;
}

async function delivered(pipeline: string, text: string): Promise<Delivery> {
  const claim = await claimed(pipeline);
  await site.ledger.fenced(claim);
  await site.ledger.streaming(claim, { id: 'upload', token: 'token' });
  const content = {
    rawSha256: sha(`raw ${text}`),
    plainSha256: sha(text),
    plainBytes: 3,
    plainCrc64: Buffer.alloc(8),
  };
  await site.ledger.verified(claim, content, {
    duplicates: 'name',
    facts: { rows: 2 },
    refuseReissue: false,
  });
  await site.ledger.committed(claim, { how: 'acknowledged', clean: true });
  return claim;
}

const names = (answer: { body: { files: { name: string }[] } }) =>
  answer.body.files.map(({ name }) => name);

test('files are found by name, by either hash, by state and by time', async () => {
  const { id } = await delivered('trades', 'first');
  expect(names(await site.get('/v1/files?name=settlement_*', all))).toEqual([
    'settlement_3.csv',
    'settlement_2.csv',
    'settlement_1.csv',
  ]);
  for (const hash of [sha('first'), sha('raw first')]) {
    const found = await site.get(`/v1/files?sha256=${hash.toString('hex')}`, all);
    expect(found.body.files).toMatchObject([
      { id, state: 'CLEANED', bytes: 3, sha256: sha('first').toString('hex'), facts: { rows: 2 } },
    ]);
  }
  expect(names(await site.get('/v1/files?state=CLEANED&state=QUARANTINED', all))).toEqual([
    'a.csv',
  ]);
  expect(names(await site.get('/v1/files?pipeline=trades', all))).toEqual(['b.csv', 'a.csv']);
  expect(names(await site.get('/v1/files?until=2020-01-01T00:00:00Z', all))).toEqual([]);
  expect(names(await site.get('/v1/files?since=2020-01-01T00:00:00Z', all))).toHaveLength(5);
});

test('a search goes on page by page, each file once', async () => {
  const seen: string[] = [];
  let path: string | undefined = '/v1/files?limit=2';
  for (let pages = 0; path !== undefined && pages < 10; pages++) {
    const { body } = await site.get(path, all);
    seen.push(...body.files.map((one: { name: string }) => one.name));
    path = body.next === undefined ? undefined : `/v1/files?limit=2&cursor=${body.next}`;
  }
  expect(seen).toEqual([
    'settlement_3.csv',
    'settlement_2.csv',
    'settlement_1.csv',
    'b.csv',
    'a.csv',
  ]);
});

test('a cursor that nobody gave is refused', async () => {
  expect((await site.get('/v1/files?cursor=abc', all)).body).toMatchObject({
    status: 400,
    code: 'OCTO_API_INVALID',
  });
});

test('files of other pipelines are neither found nor shown nor touched', async () => {
  const narrow = await site.headers('files:read:affirm-*', 'files:write:affirm-*');
  expect(names(await site.get('/v1/files', narrow))).toHaveLength(3);
  expect(names(await site.get('/v1/files?pipeline=trades', narrow))).toEqual([]);
  const [foreign] = (await site.get('/v1/files?pipeline=trades', all)).body.files;
  expect((await site.get(`/v1/files/${foreign.id}`, narrow)).status).toBe(404);
  expect((await site.post(`/v1/files/${foreign.id}/redeliver`, undefined, narrow)).status).toBe(
    404,
  );
});

test('a pattern does not match what only looks like it: an underscore is itself', async () => {
  const narrow = await site.headers('files:read:affirm_us');
  expect(names(await site.get('/v1/files', narrow))).toEqual([]);
});

test('a quarantined file is released, and its life tells it', async () => {
  const claim = await claimed('affirm-us');
  await site.ledger.exit(claim, 'QUARANTINED', 'CHECKSUM differs');
  const shown = await site.get(`/v1/files/${claim.id}`, all);
  expect(shown.body).toMatchObject({ state: 'QUARANTINED', reason: 'CHECKSUM differs' });
  const released = await site.post(`/v1/files/${claim.id}/release`, undefined, all);
  expect(released.body).toMatchObject({ id: claim.id, state: 'DISCOVERED' });
  const { history } = (await site.get(`/v1/files/${claim.id}`, all)).body;
  expect(history.map(({ event }: { event: string }) => event).slice(-2)).toEqual([
    'quarantined',
    'released',
  ]);
  const again = await site.post(`/v1/files/${claim.id}/release`, undefined, all);
  expect(again.body).toMatchObject({ status: 409, code: 'OCTO_API_CONFLICT' });
});

test('a delivered file is delivered again, under its own key and behind a new fence', async () => {
  const before = await delivered('trades', 'second');
  const answer = await site.post(`/v1/files/${before.id}/redeliver`, undefined, all);
  expect(answer.body).toMatchObject({ id: before.id, state: 'DISCOVERED', key: 'b.csv' });
  const again = await claimed('trades');
  expect(again).toMatchObject({ id: before.id, objectKey: 'b.csv' });
  expect(again.attempt).toBeGreaterThan(before.attempt);
  await site.ledger.fenced(again);
  await site.ledger.streaming(again, { id: 'upload 2', token: 'token' });
  const content = {
    rawSha256: sha('raw second'),
    plainSha256: sha('second'),
    plainBytes: 3,
    plainCrc64: Buffer.alloc(8),
  };
  const options = { duplicates: 'name', facts: {}, refuseReissue: false } as const;
  expect(await site.ledger.verified(again, content, options)).toEqual({ answer: 'reserved' });
  await site.ledger.committed(again, { how: 'acknowledged', clean: true });
  expect(await site.ledger.find(before.id)).toMatchObject({ state: 'CLEANED', objectKey: 'b.csv' });
});

test('what is not delivered is not delivered again', async () => {
  const [open] = (await site.get('/v1/files?state=DISCOVERED', all)).body.files;
  const refused = await site.post(`/v1/files/${open.id}/redeliver`, undefined, all);
  expect(refused.body).toMatchObject({ status: 409, code: 'OCTO_API_CONFLICT' });
});
