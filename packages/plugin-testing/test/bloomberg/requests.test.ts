import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, startBloombergRest, type BloombergRest } from '../../src/index.ts';
import { call } from './rest-client.ts';

const REQUESTS = '/catalogs/1234/requests/';
const NINE = Date.UTC(2026, 0, 15, 21);
const HOUR_MS = 60 * 60 * 1000;

let clock: ManualClock;
let rest: BloombergRest;
beforeEach(async () => {
  clock = new ManualClock(NINE);
  rest = await startBloombergRest({ clock });
});
afterEach(() => rest[Symbol.asyncDispose]());

type Json = { readonly [name: string]: unknown };
const nowMs = () => clock.now();
const get = (path: string) => call(rest, path, { nowMs: nowMs() });
const post = (path: string, body: unknown) =>
  call(rest, path, { method: 'POST', body, nowMs: nowMs() });
const patch = (path: string, body: unknown) =>
  call(rest, path, { method: 'PATCH', body, nowMs: nowMs() });
const remove = (path: string) => call(rest, path, { method: 'DELETE', nowMs: nowMs() });

const ticker = (value: string, type = 'TICKER') => ({
  '@type': 'Identifier',
  identifierType: type,
  identifierValue: value,
});
const universe = (...tickers: readonly string[]) => ({
  '@type': 'Universe',
  contains: tickers.map((one) => ticker(one)),
});
const fieldList = (...mnemonics: readonly string[]) => ({
  '@type': 'DataFieldList',
  contains: mnemonics.map((mnemonic) => ({ mnemonic })),
});
const request = (members: Json = {}): Json => ({
  '@type': 'DataRequest',
  identifier: 'octoEod',
  title: 'octo end of day',
  description: 'test',
  universe: universe('IBM US Equity', 'NOPE US Equity'),
  fieldList: fieldList('PX_LAST', 'NA_A'),
  trigger: { '@type': 'SubmitTrigger' },
  formatting: { '@type': 'MediaType', outputMediaType: 'text/csv' },
  ...members,
});
const scheduled = (members: Json = {}) => ({
  '@type': 'ScheduledTrigger',
  frequency: 'daily',
  startDate: '2026-01-15',
  startTime: '22:00:00',
  ...members,
});

const listed = async () => {
  const { contains } = (await get('/catalogs/1234/content/responses/')).json();
  return contains as readonly { readonly key: string; readonly metadata: Json }[];
};
/** In the order of their days. */
const keys = async () => (await listed()).map(({ key }) => key).toSorted();
const content = async (key: string) =>
  (await get(`/catalogs/1234/content/responses/${key}`)).bytes.toString();

test('a request is created with its place, and answered', async () => {
  const { headers, json, status } = await post(REQUESTS, request());
  expect([status, headers['location']]).toEqual([201, '/eap/catalogs/1234/requests/octoEod/']);
  expect(json()).toMatchObject({
    '@type': 'Status',
    statusCode: 201,
    title: 'Created',
    request: { identifier: 'octoEod' },
  });
  const [response] = await listed();
  expect(response).toMatchObject({
    key: 'octoEod-20260115T210000.csv',
    metadata: {
      DL_REQUEST_ID: 'octoEod',
      DL_REQUEST_TYPE: 'DataRequest',
      DL_SNAPSHOT_START_TIME: '2026-01-15T21:00:00',
    },
  });
  const lines = (await content('octoEod-20260115T210000.csv')).split('\n');
  const leading = 'octoEod,,2026-01-15T21:00:00,Etc/UTC';
  expect(lines).toEqual([
    'DL_REQUEST_ID,DL_REQUEST_NAME,DL_SNAPSHOT_START_TIME,DL_SNAPSHOT_TZ,IDENTIFIER,RC,PX_LAST,NA_A',
    expect.stringMatching(new RegExp(`^${leading},IBM US Equity,0,\\d+(\\.\\d+)?,$`)),
    `${leading},NOPE US Equity,10,,`,
    '',
  ]);
});

test('JSON has numbers, booleans, dates, and null for what is missing', async () => {
  const json = { '@type': 'MediaType', outputMediaType: 'application/json' };
  const fields = fieldList('PX_LAST', 'CALLABLE', 'MATURITY', 'NS_A');
  const bond = { '@type': 'Universe', contains: [ticker('US912810TM09', 'ISIN')] };
  await post(REQUESTS, request({ formatting: json, fieldList: fields, universe: bond }));
  expect(JSON.parse(await content('octoEod-20260115T210000.json'))).toEqual([
    {
      DL_REQUEST_ID: 'octoEod',
      DL_REQUEST_NAME: '',
      DL_SNAPSHOT_START_TIME: '2026-01-15T21:00:00',
      DL_SNAPSHOT_TZ: 'Etc/UTC',
      IDENTIFIER: 'US912810TM09',
      RC: 0,
      PX_LAST: expect.any(Number),
      CALLABLE: expect.any(Boolean),
      MATURITY: expect.stringMatching(/^\d{4}-\d\d-15$/),
      NS_A: null,
    },
  ]);
});

test('a DataFormat yields the frame of part A', async () => {
  const formatting = { '@type': 'DataFormat', dateFormat: 'yyyymmdd', fileType: 'windowsFileType' };
  await post(REQUESTS, request({ formatting }));
  const text = await content('octoEod-20260115T210000.bbg');
  expect(text).toMatch(/^START-OF-FILE\r\n[^]*\r\nIBM US Equity\|0\|2\|[^]*\r\nEND-OF-FILE\r\n$/);
});

test('a history has a row for each day', async () => {
  const history = {
    '@type': 'HistoryRequest',
    fieldList: {
      '@type': 'HistoryFieldList',
      contains: [{ mnemonic: 'PX_LAST' }, { mnemonic: 'NAME' }],
    },
    universe: universe('IBM US Equity'),
  };
  const days = (dateRange: Json) => ({
    '@type': 'HistoryRuntimeOptions',
    period: 'daily',
    dateRange,
  });
  const interval = { '@type': 'IntervalDateRange', startDate: '2026-01-09', endDate: '2026-01-12' };
  await post(REQUESTS, request({ ...history, identifier: 'a', runtimeOptions: days(interval) }));
  const duration = { '@type': 'DurationDateRange', days: 3 };
  await post(REQUESTS, request({ ...history, identifier: 'b', runtimeOptions: days(duration) }));
  // What has no past, such as a name, is empty.
  expect((await content('a-20260115T210000.csv')).split('\n')).toEqual([
    expect.stringMatching(/,IDENTIFIER,RC,DATE,PX_LAST,NAME$/),
    expect.stringMatching(/,IBM US Equity,0,2026-01-09,[\d.]+,$/),
    expect.stringMatching(/,IBM US Equity,0,2026-01-12,[\d.]+,$/),
    '',
  ]);
  expect((await content('b-20260115T210000.csv')).match(/2026-01-1[345],/g)).toHaveLength(3);
});

test('a history has a frame of its own, which may show where prices come from', async () => {
  const interval = { '@type': 'IntervalDateRange', startDate: '2026-01-15', endDate: '2026-01-15' };
  const asked = request({
    '@type': 'HistoryRequest',
    fieldList: { '@type': 'HistoryFieldList', contains: [{ mnemonic: 'PX_LAST' }] },
    runtimeOptions: { '@type': 'HistoryRuntimeOptions', period: 'yearly', dateRange: interval },
    formatting: { '@type': 'HistoryFormat', dateFormat: 'yyyymmdd', displayPricingSource: true },
    pricingSourceOptions: { '@type': 'HistoryPricingSourceOptions', exclusive: true },
  });
  await post(REQUESTS, asked);
  const lines = (await content('octoEod-20260115T210000.bbg')).split('\n');
  expect(lines.slice(lines.indexOf('START-OF-DATA') + 1, lines.indexOf('END-OF-DATA'))).toEqual([
    expect.stringMatching(/^IBM US Equity\|0\|1\|EX\|20260115\|[\d.]+\|$/),
    'NOPE US Equity|10|1| | | |',
  ]);
});

test('what a universe contains is shown in pages', async () => {
  const many = universe(...Array.from({ length: 21 }, (_, i) => `T${i} US Equity`));
  await post('/catalogs/1234/universes/', { ...many, identifier: 'many', title: 'many' });
  await post(REQUESTS, request({ universe: many }));
  for (const path of ['/catalogs/1234/universes/many/', `${REQUESTS}octoEod/universe/`]) {
    const first = (await get(path)).json();
    expect(first).toMatchObject({
      '@type': 'Universe',
      totalItems: 21,
      pageCount: 2,
      view: { next: '?page=2' },
    });
    expect(first['contains']).toHaveLength(20);
    expect((await get(`${path}?page=2`)).json()['contains']).toHaveLength(1);
    expect((await get(`${path}?pageSize=100`)).json()['contains']).toHaveLength(21);
  }
});

test('actions have no fields of their own', async () => {
  const { fieldList: _, ...members } = request({ '@type': 'ActionsRequest' });
  await post(REQUESTS, members);
  expect(await content('octoEod-20260115T210000.csv')).toContain(
    ',IBM US Equity,0,100000001,DVD_CASH,N\n',
  );
});

test('a request without an identifier is given one, and may have a name', async () => {
  const { identifier: _, ...anonymous } = request({ name: 'octoName' });
  const { request: made } = (await post(REQUESTS, anonymous)).json();
  const { identifier } = made as { readonly identifier: string };
  expect(identifier).toMatch(/^[A-Za-z][A-Za-z0-9]{0,20}$/);
  expect(await listed()).toMatchObject([
    {
      key: 'octoName-20260115T210000.csv',
      metadata: { DL_REQUEST_ID: identifier, DL_REQUEST_NAME: 'octoName' },
    },
  ]);
});

test('an identifier is taken once, and what has it can be looked at', async () => {
  await post(REQUESTS, request());
  const { json, status } = await post(REQUESTS, request({ title: 'other' }));
  expect(status).toBe(409);
  expect(json()).toMatchObject({ '@type': 'Status', title: 'Conflict' });
  expect((await get(`${REQUESTS}octoEod/`)).json()).toMatchObject({
    '@type': 'DataRequest',
    identifier: 'octoEod',
    title: 'octo end of day',
    enabled: true,
    frequency: 'once',
    lastRunDateTime: '2026-01-15T21:00:00.000Z',
    nextRunDateTime: null,
  });
  expect((await get(`${REQUESTS}octoEod/universe/`)).json()).toMatchObject(
    request()['universe'] as Json,
  );
  expect((await get(`${REQUESTS}octoEod/fieldList/`)).json()).toMatchObject(
    request()['fieldList'] as Json,
  );
  expect((await get(`${REQUESTS}octoEod/trigger/`)).json()).toEqual({ '@type': 'SubmitTrigger' });
  expect((await get(`${REQUESTS}other/`)).status).toBe(404);
});

test('a response comes when its time has come, and goes out as an event', async () => {
  rest.faults.deliverDelayMs = HOUR_MS;
  await post(REQUESTS, request());
  expect(await keys()).toEqual([]);
  await clock.advance(HOUR_MS);
  expect(await keys()).toEqual(['octoEod-20260115T220000.csv']);
});

test('a scheduled request runs at its times, until it is disabled for good', async () => {
  await post(REQUESTS, request({ trigger: scheduled() }));
  expect((await get(`${REQUESTS}octoEod/`)).json()).toMatchObject({
    frequency: 'daily',
    nextRunDateTime: '2026-01-15T22:00:00.000Z',
  });
  await clock.advance(25 * HOUR_MS);
  expect(await keys()).toEqual(['octoEod-20260115T220000.csv', 'octoEod-20260116T220000.csv']);
  expect((await patch(`${REQUESTS}octoEod/`, { enabled: false })).status).toBe(204);
  expect((await get(`${REQUESTS}octoEod/`)).json()).toMatchObject({
    enabled: false,
    nextRunDateTime: null,
  });
  await clock.advance(48 * HOUR_MS);
  expect(await keys()).toHaveLength(2);
  expect((await patch(`${REQUESTS}octoEod/`, { enabled: true })).status).toBe(400);
});

test.for([
  ['weekday', ['0115', '0116', '0119', '0120']],
  ['weekly', ['0115']],
  ['once', ['0115']],
] as const)('a %s request runs on its days', async ([frequency, days]) => {
  await post(REQUESTS, request({ trigger: scheduled({ frequency }) }));
  await clock.advance(6 * 24 * HOUR_MS);
  expect(await keys()).toEqual(days.map((day) => `octoEod-2026${day}T220000.csv`));
});

test('a monthly request keeps to the end of short months', async () => {
  const trigger = scheduled({ frequency: 'monthly', startDate: '2026-01-31' });
  await post(REQUESTS, request({ trigger }));
  await clock.advance(45 * 24 * HOUR_MS);
  expect(await keys()).toEqual(['octoEod-20260131T220000.csv', 'octoEod-20260228T220000.csv']);
});

test('of a request its words and its own universe can be changed, and nothing else', async () => {
  await post('/catalogs/1234/universes/', {
    ...universe('A US Equity'),
    identifier: 'mine',
    title: 'mine',
  });
  await post(REQUESTS, request({ trigger: scheduled() }));
  await post(REQUESTS, request({ identifier: 'b', universe: '/eap/catalogs/1234/universes/mine' }));
  const changed = { title: 'other', universe: universe('B US Equity') };
  expect((await patch(`${REQUESTS}octoEod/`, changed)).status).toBe(204);
  expect((await get(`${REQUESTS}octoEod/`)).json()).toMatchObject({ title: 'other' });
  await clock.advance(HOUR_MS);
  expect(await content('octoEod-20260115T220000.csv')).toContain(',B US Equity,0,');
  const pointerOf = async (identifier: string, body: Json) => {
    const { json, status } = await patch(`${REQUESTS}${identifier}/`, body);
    const { errors } = json() as { errors: readonly { source: { pointer: string } }[] };
    return [status, errors[0]?.source.pointer];
  };
  expect(await pointerOf('octoEod', { fieldList: fieldList('A') })).toEqual([400, '/fieldList']);
  expect(await pointerOf('octoEod', { enabled: true })).toEqual([400, '/enabled']);
  expect(await pointerOf('b', { universe: universe('B') })).toEqual([400, '/universe']);
});

test('requests are listed in pages, and found by what they use', async () => {
  await post('/catalogs/1234/universes/', {
    ...universe('A US Equity'),
    identifier: 'mine',
    title: 'mine',
  });
  for (let i = 0; i < 22; i += 1)
    await post(REQUESTS, request({ identifier: `r${i}`, name: `n${i}` }));
  const stored = { identifier: 'last', universe: '/eap/catalogs/1234/universes/mine/' };
  await post(REQUESTS, request(stored));
  const first = (await get(REQUESTS)).json();
  expect(first).toMatchObject({
    totalItems: 23,
    pageCount: 2,
    view: {
      '@type': 'PartialCollectionView',
      '@id': '?page=1',
      first: '?page=1',
      next: '?page=2',
      last: '?page=2',
    },
  });
  expect(first['contains']).toHaveLength(20);
  const second = (await get(`${REQUESTS}?page=2`)).json();
  expect(second['contains']).toHaveLength(3);
  expect(second['view']).not.toHaveProperty('next');
  const byUniverse = (await get(`${REQUESTS}?universeIdentifier=mine`)).json();
  expect(byUniverse['contains']).toMatchObject([{ identifier: 'last' }]);
  expect((await get(`${REQUESTS}?name=n7`)).json()['totalItems']).toBe(1);
  expect((await get(`${REQUESTS}?enabled=false`)).json()['totalItems']).toBe(0);
  expect((await get(`${REQUESTS}?enabled=maybe`)).status).toBe(400);
  expect((await get(`${REQUESTS}?page=3`)).status).toBe(404);
});

test.for([
  ['an unknown type', { '@type': 'WishRequest' }, '/@type'],
  ['a type that is not simulated', { '@type': 'TickHistoryRequest' }, '/@type'],
  ['an unknown member', { colour: 'red' }, '/colour'],
  ['an identifier with a digit first', { identifier: '1a' }, '/identifier'],
  ['an identifier with a hyphen', { identifier: 'a-b' }, '/identifier'],
  ['an identifier of 22 characters', { identifier: 'a'.repeat(22) }, '/identifier'],
  ['no universe', { universe: undefined }, '/universe/@type'],
  ['an empty universe', { universe: universe() }, '/universe/contains'],
  ['a universe that is not stored', { universe: '/eap/catalogs/1234/universes/no/' }, '/universe'],
  [
    'a list of fields of history',
    { fieldList: { '@type': 'HistoryFieldList', contains: [{ mnemonic: 'A' }] } },
    '/fieldList/@type',
  ],
  ['a field in lower case', { fieldList: fieldList('px_last') }, '/fieldList/contains/0/mnemonic'],
  [
    '501 fields',
    { fieldList: fieldList(...(Array(501).fill('A') as string[])) },
    '/fieldList/contains',
  ],
  [
    'a trigger with seconds',
    { trigger: scheduled({ startTime: '22:00:01' }) },
    '/trigger/startTime',
  ],
  ['the format of another type', { formatting: { '@type': 'HistoryFormat' } }, '/formatting/@type'],
  ['an unknown frequency', { trigger: scheduled({ frequency: 'hourly' }) }, '/trigger/frequency'],
  ['an unknown trigger', { trigger: '/eap/catalogs/bbg/triggers/whenever/' }, '/trigger'],
  [
    'an unknown format',
    { formatting: { '@type': 'MediaType', outputMediaType: 'text/xml' } },
    '/formatting/outputMediaType',
  ],
  [
    'a wrong override',
    {
      universe: {
        '@type': 'Universe',
        contains: [{ ...ticker('A'), fieldOverrides: [{ mnemonic: 'A' }] }],
      },
    },
    '/universe/contains/0/fieldOverrides/0',
  ],
] as const)(
  'a request with %s is refused, and told where it is wrong',
  async ([, members, pointer]) => {
    const { json, status } = await post(REQUESTS, request(members as Json));
    expect(status).toBe(400);
    const { errors } = json() as { errors: readonly { source: { pointer: string } }[] };
    expect(errors.map(({ source }) => source.pointer)).toContain(pointer);
    expect(await keys()).toEqual([]);
  },
);

test('a body must be a JSON object, and say that it is JSON', async () => {
  expect((await post(REQUESTS, '[1]')).status).toBe(400);
  expect((await post(REQUESTS, '{"@type":')).status).toBe(400);
  const headers = { 'content-type': 'text/plain' };
  const plain = await call(rest, REQUESTS, {
    method: 'POST',
    body: request(),
    headers,
    nowMs: nowMs(),
  });
  expect(plain.status).toBe(415);
});

test('parts of requests are stored, changed, and removed unless they are used', async () => {
  const triggers = '/catalogs/1234/triggers/';
  const made = await post(triggers, { ...scheduled(), identifier: 'nightly', title: 'nightly' });
  expect([made.status, made.headers['location']]).toEqual([201, `/eap${triggers}nightly/`]);
  expect(
    (await post(triggers, { ...scheduled(), identifier: 'nightly', title: 'nightly' })).status,
  ).toBe(409);
  expect((await patch(`${triggers}nightly/`, { startTime: '23:00:00' })).status).toBe(204);
  expect((await get(`${triggers}nightly/`)).json()).toMatchObject({
    identifier: 'nightly',
    startTime: '23:00:00',
  });
  expect((await patch(`${triggers}nightly/`, { startTime: 'late' })).status).toBe(400);
  await post(REQUESTS, request({ trigger: `${rest.url}${triggers}nightly/` }));
  expect((await patch(`${triggers}nightly/`, { startTime: '20:00:00' })).status).toBe(400);
  expect((await remove(`${triggers}nightly/`)).status).toBe(400);
  await patch(`${REQUESTS}octoEod/`, { enabled: false });
  expect((await remove(`${triggers}nightly/`)).status).toBe(204);
  expect((await get(`${triggers}nightly/`)).status).toBe(404);
});

test('a stored universe is what it contains at the time it is asked for', async () => {
  const path = '/catalogs/1234/universes/';
  await post(path, { ...universe('A US Equity'), identifier: 'mine', title: 'one' });
  await patch(`${path}mine/`, universe('B US Equity'));
  expect((await get(`${path}mine/`)).json()).toMatchObject({
    identifier: 'mine',
    title: 'one',
    contains: [{ identifierValue: 'B US Equity' }],
  });
  expect((await get(path)).json()['contains']).toMatchObject([{ identifier: 'mine' }]);
});

test('a trigger needs no date, and none of today', async () => {
  await post(REQUESTS, request({ trigger: { '@type': 'ScheduledTrigger', frequency: 'daily' } }));
  expect((await get(`${REQUESTS}octoEod/`)).json()).toMatchObject({
    nextRunDateTime: '2026-01-16T00:00:00.000Z',
  });
  const past = scheduled({ frequency: 'once', startDate: '2026-01-14' });
  await post(REQUESTS, request({ identifier: 'late', trigger: past }));
  expect(await keys()).toEqual(['late-20260115T210000.csv']);
});

test('what careless clients overlook is refused, unless the server is lenient', async () => {
  const { title: _, ...untitled } = request();
  const past = request({ identifier: 'past', trigger: scheduled({ startDate: '2026-01-14' }) });
  const nameless = universe('A US Equity');
  const refusal = async (path: string, body: unknown) => {
    const { json, status } = await post(path, body);
    const { errors } = json() as { errors: readonly { source: { pointer: string } }[] };
    return [status, errors[0]?.source.pointer];
  };
  expect(await refusal(REQUESTS, untitled)).toEqual([400, '/title']);
  expect(await refusal(REQUESTS, past)).toEqual([400, '/trigger/startDate']);
  expect(await refusal('/catalogs/1234/universes/', nameless)).toEqual([400, '/identifier']);
  expect((await post(REQUESTS, { ...untitled, name: 'n' })).status).toBe(201);
  await using lenient = await startBloombergRest({ clock, strict: false });
  for (const body of [untitled, past]) {
    const options = { method: 'POST', body, nowMs: nowMs() };
    expect((await call(lenient, REQUESTS, options)).status).toBe(201);
  }
});

test('responses are listed as long as the server lists them', async () => {
  await using forgetful = await startBloombergRest({ clock, listedMs: 168 * HOUR_MS });
  forgetful.publish({ key: 'old', body: 'x', modifiedMs: nowMs() - 169 * HOUR_MS });
  forgetful.publish({ key: 'new', body: 'x', modifiedMs: nowMs() - 167 * HOUR_MS });
  const listing = await call(forgetful, '/catalogs/1234/content/responses/', { nowMs: nowMs() });
  expect(listing.json()['contains']).toMatchObject([{ key: 'new' }]);
});

test('the columns of a frame have titles where they are asked for', async () => {
  await post(REQUESTS, request({ formatting: { '@type': 'DataFormat', columnHeader: true } }));
  const lines = (await content('octoEod-20260115T210000.bbg')).split('\n');
  expect(lines[lines.indexOf('START-OF-DATA') + 1]).toBe(
    'SECURITIES|ERROR CODE|NUM FLDS|PX_LAST|NA_A|',
  );
});

test('Bloomberg has triggers of its own, which run a request at once', async () => {
  const { contains } = (await get('/catalogs/bbg/triggers/')).json();
  expect(contains).toMatchObject([
    { identifier: 'executeNow' },
    { identifier: 'oneshot' },
    { identifier: 'prodDataStreamTrigger' },
  ]);
  await post(REQUESTS, request({ trigger: '/eap/catalogs/bbg/triggers/executeNow' }));
  expect(await keys()).toHaveLength(1);
});
