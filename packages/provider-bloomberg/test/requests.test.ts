import type { RemoteFile } from '@octo/plugin-api';
import {
  type BloombergRest,
  type BloombergRestOptions,
  startBloombergRest,
} from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { bloombergOverRest, type ProviderBench, type Written } from './provider.ts';
import { failureOf, never } from './rest/loopback.ts';

const ASKED = {
  identifier: 'octoEod',
  title: 'octo end of day',
  securities: [
    'IBM US Equity',
    'US912810TM09|ISIN',
    { id: 'XS1234567890', type: 'ISIN', overrides: ['PRICING_SOURCE=BGN'] },
  ],
  fields: ['PX_LAST', 'CRNCY'],
};

test('a request is made once, and found again by every later session', async () => {
  const server = await bloomberg();
  for (let i = 0; i < 3; i++) {
    const { provider } = await bench(server, { requests: [ASKED] });
    await using session = await provider.connect(never);
    expect(await Array.fromAsync(session.list(never))).toHaveLength(1);
  }
  expect(posts(server)).toEqual(['/eap/catalogs/1234/requests/']);
});

test('a session that is opened again asks nothing again', async () => {
  const server = await bloomberg();
  const { provider } = await bench(server, { requests: [ASKED] });
  for (let i = 0; i < 3; i++) await (await provider.connect(never))[Symbol.asyncDispose]();
  expect(server.calls.filter(({ path }) => path.includes('/requests/'))).toHaveLength(2);
  expect(server.calls.filter(({ path }) => path.endsWith('/catalogs/'))).toHaveLength(1);
});

test.each(['csv', 'json', 'bbg'] as const)(
  'the answer in %s is inspected as it should be',
  async (format) => {
    const server = await bloomberg();
    const requests = [{ ...ASKED, format, securities: ['IBM US Equity', 'NOPE US Equity'] }];
    const { provider } = await bench(server, { requests });
    await using session = await provider.connect(never);
    const [file] = await Array.fromAsync(session.list(never));
    expect(file).toMatchObject({ complete: true, fields: { request: 'octoEod' } });
    const inspection = session.inspect?.(file as RemoteFile);
    for await (const chunk of session.read(file as RemoteFile, { offset: 0 }, never))
      inspection?.write(chunk);
    expect(inspection?.finish()).toMatchObject({
      facts: { rows: 2, returnCodes: { 0: 1, 10: 1 } },
    });
  },
);

test('universes, field lists and triggers are stored first, and named by their addresses', async () => {
  const server = await bloomberg();
  const config = {
    universes: [{ identifier: 'equities', securities: ASKED.securities }],
    fieldLists: [{ identifier: 'prices', fields: ASKED.fields }],
    triggers: [
      { identifier: 'evening', frequency: 'weekday', startDate: '2099-01-15', startTime: '22:00' },
    ],
    requests: [
      { identifier: 'octoEod', universe: 'equities', fieldList: 'prices', trigger: 'evening' },
    ],
  };
  for (let i = 0; i < 2; i++) {
    const { provider } = await bench(server, config);
    await (await provider.connect(never))[Symbol.asyncDispose]();
  }
  const collections = ['universes', 'fieldLists', 'triggers', 'requests'];
  expect(posts(server)).toEqual(collections.map((name) => `/eap/catalogs/1234/${name}/`));
});

test('a stored universe that changed in the configuration is changed at Bloomberg', async () => {
  const server = await bloomberg();
  const universe = { identifier: 'equities', securities: ['IBM US Equity'] };
  const connect = async (securities: readonly string[]) => {
    const { provider } = await bench(server, { universes: [{ ...universe, securities }] });
    await (await provider.connect(never))[Symbol.asyncDispose]();
  };
  await connect(['IBM US Equity']);
  await connect(['IBM US Equity', 'AAPL US Equity']);
  await connect(['IBM US Equity', 'AAPL US Equity']);
  expect(server.calls.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
});

test.each([
  ['securities', { securities: ['IBM US Equity'] }],
  ['fields', { fields: ['PX_BID'] }],
  [
    'its schedule',
    { trigger: { frequency: 'daily', startDate: '2099-01-15', startTime: '22:00' } },
  ],
  ['its format', { format: 'json' }],
])('a request of this identifier with other %s is not taken for ours', async (_, other) => {
  const server = await bloomberg();
  const first = await bench(server, { requests: [ASKED] });
  await (await first.provider.connect(never))[Symbol.asyncDispose]();
  const { provider } = await bench(server, { requests: [{ ...ASKED, ...other }] });
  const error = await failureOf(provider.connect(never));
  expect(error).toMatchObject({ type: 'validation', code: 'STORED_DIFFERS' });
  expect(error.message).toContain("'octoEod'");
});

test('a request that is not wanted any more is disabled once', async () => {
  const server = await bloomberg();
  const recurring = {
    ...ASKED,
    trigger: { frequency: 'daily', startDate: '2099-01-15', startTime: '22:00' },
  };
  const connect = async (request: Written) => {
    const { provider } = await bench(server, { requests: [request] });
    await (await provider.connect(never))[Symbol.asyncDispose]();
  };
  await connect(recurring);
  await connect({ ...recurring, enabled: false });
  await connect({ ...recurring, enabled: false });
  expect(server.calls.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
});

test('a body that Bloomberg refuses is told with the place in it', async () => {
  const server = await bloomberg();
  const { securities: _, ...rest } = ASKED;
  const { provider } = await bench(server, { requests: [{ ...rest, universe: 'nobody' }] });
  const error = await failureOf(provider.connect(never));
  expect(error).toMatchObject({ type: 'validation', code: 'BAD_REQUEST' });
  expect(error.message).toContain('/universe');
});

test('history and corporate actions are asked for in their own words', async () => {
  const server = await bloomberg();
  const { provider } = await bench(server, {
    requests: [
      { ...ASKED, identifier: 'octoHist', type: 'HistoryRequest', history: { days: 30 } },
      { identifier: 'octoActions', type: 'ActionsRequest', securities: ['IBM US Equity'] },
    ],
  });
  await using session = await provider.connect(never);
  const files = await Array.fromAsync(session.list(never));
  expect(files.map(({ fields }) => fields?.['requestType']).toSorted()).toEqual([
    'ActionsRequest',
    'HistoryRequest',
  ]);
});

test('only responses to the configured requests are delivered', async () => {
  const server = await bloomberg();
  server.publish({ key: 'octoEodOther-20260115.csv', body: 'x' });
  server.publish({ key: 'another-20260115.csv', body: 'x' });
  const { provider } = await bench(server, { requests: [ASKED] });
  await using session = await provider.connect(never);
  const files = await Array.fromAsync(session.list(never));
  expect(files.map(({ fields }) => fields?.['requestId'])).toEqual(['octoEod']);
});

test('with a date in it, an identifier is another request each day, and older answers are still delivered', async () => {
  const server = await bloomberg();
  server.publish({ key: 'octo20260114-20260114T220444.csv', body: 'x' });
  server.publish({ key: 'octoOther-20260114T220444.csv', body: 'x' });
  const requests = [{ ...ASKED, identifier: 'octo{date:yyyyMMdd}' }];
  const { provider } = await bench(server, { requests });
  await using session = await provider.connect(never);
  const ids = (await Array.fromAsync(session.list(never))).map(
    ({ fields }) => fields?.['requestId'],
  );
  expect(ids).toEqual(['octo20260114', expect.stringMatching(/^octo\d{8}$/)]);
});

test('more responses than fit on a page are all listed', async () => {
  const server = await bloomberg();
  for (let i = 0; i < 2001; i++) server.publish({ key: `r${i}-20260115.csv`, body: 'x' });
  const { provider } = await bench(server);
  await using session = await provider.connect(never);
  const paths = (await Array.fromAsync(session.list(never))).map(({ path }) => path);
  expect(new Set(paths).size).toBe(2001);
});

test('a response that is too old for the listing is still found, and read, by its key', async () => {
  const server = await bloomberg({ listedMs: 7 * 86_400_000 });
  const file = { path: 'old-20260101.csv', name: 'old-20260101.csv', size: 3, mtimeMs: 0 };
  server.publish({ key: file.path, body: 'old', modifiedMs: file.mtimeMs });
  const { provider } = await bench(server);
  await using session = await provider.connect(never);
  expect(await Array.fromAsync(session.list(never))).toEqual([]);
  expect(await session.stat(file, never)).toMatchObject(file);
  const bytes = await Array.fromAsync(session.read(file, { offset: 1 }, never));
  expect(Buffer.concat(bytes).toString()).toBe('ld');
  server.remove(file.path);
  expect(await session.stat(file, never)).toBeUndefined();
});

test('older servers, which answer 404 before anything was delivered, have nothing to deliver', async () => {
  const server = await bloomberg();
  server.faults.emptyIs404 = true;
  const { provider } = await bench(server);
  await using session = await provider.connect(never);
  expect(await Array.fromAsync(session.list(never))).toEqual([]);
});

test('an access token serves many requests, and is had again when it is refused', async () => {
  const server = await bloomberg();
  const { provider } = await bench(server, { auth: 'oauth2', requests: [ASKED] });
  await using session = await provider.connect(never);
  expect(await Array.fromAsync(session.list(never))).toHaveLength(1);
  const bearer = server.calls.map(({ headers }) => headers['authorization']);
  expect(new Set(bearer).size).toBeLessThanOrEqual(2);
  expect(server.calls.every(({ headers }) => headers['jwt'] === undefined)).toBe(true);
});

async function bloomberg(options: BloombergRestOptions = {}): Promise<BloombergRest> {
  const server = await startBloombergRest(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function bench(server: BloombergRest, config: Written = {}): Promise<ProviderBench> {
  const made = await bloombergOverRest(server, config);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

function posts(server: BloombergRest): string[] {
  return server.calls.filter(({ method }) => method === 'POST').map(({ path }) => path);
}
