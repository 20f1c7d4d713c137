/** What public clients of Bloomberg document, against a loopback server that insists on it. */
import type { RemoteFile } from '@octo/plugin-api';
import { type BloombergRest, ManualClock, startBloombergRest } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../src/config-schema.ts';
import { bloombergOverRest, type ProviderBench, type Written } from './provider.ts';
import { never } from './rest/loopback.ts';

const ASKED = { identifier: 'octoEod', securities: ['IBM US Equity'], fields: ['PX_LAST'] };
/** More than one page. */
const MANY = Array.from({ length: 25 }, (_, i) => `T${i} US Equity`);

test('a request without a configured title has one all the same, or a name', async () => {
  const server = await strict();
  await connected(server, { requests: [ASKED] });
  expect(refusals(server)).toEqual([]);
});

test('stored parts without a configured title have one all the same', async () => {
  const server = await strict();
  await connected(server, {
    universes: [{ identifier: 'equities', securities: ASKED.securities }],
    fieldLists: [{ identifier: 'prices', fields: ASKED.fields }],
    triggers: [
      { identifier: 'evening', frequency: 'weekday', startDate: '2099-01-15', startTime: '22:00' },
    ],
  });
  expect(refusals(server)).toEqual([]);
});

test('a request for more securities than one page shows is found again', async () => {
  const server = await strict();
  const config = { requests: [{ ...ASKED, title: 'octo', securities: MANY }] };
  await connected(server, config);
  await connected(server, config);
  expect(server.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test('a stored universe of more than one page that did not change is left alone', async () => {
  const server = await strict();
  const config = { universes: [{ identifier: 'equities', title: 'octo', securities: MANY }] };
  await connected(server, config);
  await connected(server, config);
  expect(server.calls.filter(({ method }) => method === 'PATCH')).toEqual([]);
});

test.each([
  ['history', { type: 'HistoryRequest', history: { days: 3 } }],
  ['actions', { type: 'ActionsRequest', fields: undefined }],
] as const)('%s are asked for in their own frame', async (_, members) => {
  const server = await strict();
  const requests = [{ ...ASKED, title: 'octo', format: 'bbg', ...members }];
  await connected(server, { requests });
  expect(refusals(server)).toEqual([]);
});

test('a history with a pricing source is asked for in its own words', async () => {
  const server = await strict();
  const history = { type: 'HistoryRequest', history: { days: 3 }, pricingSource: 'BGN' };
  await connected(server, { requests: [{ ...ASKED, title: 'octo', ...history }] });
  expect(refusals(server)).toEqual([]);
});

test('the titles of the columns are no row, and no damage', async () => {
  const server = await strict();
  const requests = [{ ...ASKED, title: 'octo', format: 'bbg' }];
  const { provider } = await connected(server, { requests });
  await using session = await provider.connect(never);
  const [file] = await Array.fromAsync(session.list(never));
  const inspection = session.inspect?.(file as RemoteFile);
  for await (const chunk of session.read(file as RemoteFile, { offset: 0 }, never)) {
    inspection?.write(chunk);
  }
  expect(inspection?.finish()).toMatchObject({ facts: { rows: 1 } });
});

test('a next page that is named by its bare token is asked for', async () => {
  const server = await strict();
  server.faults.bareTokens = true;
  for (let i = 0; i <= 1000; i += 1) server.publish({ key: `all-${i}.csv`, body: 'x' });
  const { provider } = await connected(server, {});
  await using session = await provider.connect(never);
  expect(await Array.fromAsync(session.list(never))).toHaveLength(1001);
});

test('what was asked for before midnight is waited for after it, and nothing else', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 15, 23, 58));
  const server = await strict({ clock, heartbeatMs: 0 });
  server.faults.deliverDelayMs = 240_000;
  const dated = { ...ASKED, identifier: 'octo{date:yyyyMMdd}', title: 'octo' };
  const waiting = { waitMs: 3_600_000, pollMs: 60_000, notifications: 'poll', timezone: 'UTC' };
  const bench = await bloombergOverRest(server, { requests: [dated], ...waiting }, clock);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  await using session = await bench.provider.connect(never);
  const listing = Array.fromAsync(session.list(never));
  const state = { done: false };
  listing.then(
    () => (state.done = true),
    () => (state.done = true),
  );
  while (!state.done && clock.monotonic() < 2 * waiting.waitMs) await clock.advance(250);
  expect((await listing).map(({ path }) => path)).toEqual(['octo20260115-20260116T000200.csv']);
  expect(clock.monotonic()).toBeLessThan(waiting.waitMs);
});

test('a mnemonic may begin with a digit', () => {
  const { pattern } = configSchema.properties.requests.items.properties.fields.items;
  expect('3YR_AVG_NET_MARGIN').toMatch(new RegExp(pattern));
});

test('a schedule needs no first day, which could only be over one day', () => {
  const [, schedule] = configSchema.properties.requests.items.properties.trigger.oneOf;
  expect(schedule.required).not.toContain('startDate');
});

async function strict(
  options: Parameters<typeof startBloombergRest>[0] = {},
): Promise<BloombergRest> {
  const server = await startBloombergRest({ strict: true, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A provider that has asked for everything once. */
async function connected(server: BloombergRest, config: Written): Promise<ProviderBench> {
  const bench = await bloombergOverRest(server, config);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  await (await bench.provider.connect(never))[Symbol.asyncDispose]();
  return bench;
}

function refusals(server: BloombergRest): (string | undefined)[] {
  return server.calls.filter(({ status }) => status === 400).map(({ reason }) => reason);
}
