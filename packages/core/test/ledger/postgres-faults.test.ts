import { createHash } from 'node:crypto';
import type { Clock } from '@octo/plugin-api';
import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import type { Delivery, VerifiedContent } from '../../src/ledger/delivery.ts';
import type { ClaimRequest, Discovery } from '../../src/ledger/ledger.ts';
import { PostgresLedger } from '../../src/ledger/postgres-ledger.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { cuttingProxy, type CuttingProxy } from './cutting-proxy.ts';
import { postgresServer } from './postgres-server.ts';

const scope = { pipeline: 'p', sink: 's' };
const keyAt = (key: string, index: number): string => (index === 0 ? key : `${key}~${index + 1}`);
const request: ClaimRequest = { ...scope, leaseMs: 60_000, keyAt, onReissue: 'version' };
const verify = { duplicates: 'name', facts: {}, refuseReissue: false } as const;
const logger = new RecordingLogger();

let server: EmbeddedPostgres;
let admin: Client;
let proxy: CuttingProxy;
let ledger: PostgresLedger;

beforeAll(async () => {
  server = await postgresServer();
  admin = new Client(server.config);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy = await cuttingProxy(server.config);
  const place = { config: proxy.config, description: 'test', revive: async () => undefined };
  ledger = await PostgresLedger.open(place, { clock: systemClock, logger });
  await admin.query('truncate octo.delivery, octo.event, octo.outbox, octo.sighting');
});
afterEach(async () => {
  await ledger[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

function version(path: string): Discovery {
  return { path, name: 'a', size: 10, mtimeMs: 1, location: path, key: 'a' };
}

function content(text: string): VerifiedContent {
  const hash = createHash('sha256').update(text).digest();
  return { rawSha256: hash, plainSha256: hash, plainBytes: 1, plainCrc64: hash.subarray(0, 8) };
}

async function claimed(path: string): Promise<Delivery> {
  await ledger.discover(scope, [version(path)]);
  return (await ledger.claim(request))!;
}

async function events(id: string): Promise<string[]> {
  return (await ledger.history(id)).map(({ event }) => event);
}

/** PostgreSQL's words for the end of a statement: they come with the answer that is to be lost. */
const INSERTED = 'SELECT 1';
const COMMIT = 'COMMIT';

test('a claim whose answer is lost is found again, not made twice', async () => {
  await ledger.discover(scope, [version('x/a'), version('y/a')]);
  proxy.cutAt(INSERTED);
  const claim = (await ledger.claim(request))!;
  expect(proxy.cuts).toBe(1);
  expect(claim).toMatchObject({ path: 'x/a', state: 'CLAIMED', objectKey: 'a' });
  expect(await events(claim.id)).toEqual(['discovered', 'claimed']);
  proxy.cutAt(COMMIT);
  // Its key is taken, so this one is claimed in a transaction.
  const second = (await ledger.claim(request))!;
  expect(proxy.cuts).toBe(2);
  expect(second).toMatchObject({ path: 'y/a', objectKey: 'a~2' });
  expect(await events(second.id)).toEqual(['discovered', 'claimed']);
});

test('a discovery whose answer is lost is known the next time', async () => {
  proxy.cutAt(INSERTED);
  const { added, known } = await ledger.discover(scope, [version('a')]);
  expect([added.length, known.length]).toEqual([0, 1]);
  expect(await events(known[0]?.id ?? '')).toEqual(['discovered']);
});

test.each([
  ['fenced', (claim: Delivery) => ledger.fenced(claim)],
  ['streaming', (claim: Delivery) => ledger.streaming(claim, { id: 'u', token: 't' })],
  ['verified', (claim: Delivery) => ledger.verified(claim, content('x'), verify)],
  ['waiting', (claim: Delivery) => ledger.wait(claim, 'other', content('x').rawSha256)],
  ['parked', (claim: Delivery) => ledger.park(claim, 'sink is down', 0)],
  ['quarantined', (claim: Delivery) => ledger.exit(claim, 'QUARANTINED', 'broken')],
  ['committed', (claim: Delivery) => ledger.committed(claim, { how: 'acknowledged' })],
])('%s is answered although the first answer was lost', async (event, move) => {
  const claim = await claimed('a');
  // The read that `verified` begins with has the delivery in it.
  proxy.cutAt(event === 'verified' ? 'moved' : INSERTED);
  await move(claim);
  expect(proxy.cuts).toBe(1);
  expect(await events(claim.id)).toEqual(['discovered', 'claimed', event]);
});

test('a lost answer moves to the next key once', async () => {
  const claim = await claimed('a');
  proxy.cutAt(COMMIT);
  expect(await ledger.nextKey(claim, keyAt)).toBe('a~2');
  expect(proxy.cuts).toBe(1);
});

test('a duplicate whose answer is lost stays one', async () => {
  const holder = await claimed('x/a');
  await ledger.verified(holder, content('x'), verify);
  await ledger.committed(holder, { how: 'acknowledged' });
  const claim = await claimed('y/a');
  proxy.cutAt(COMMIT);
  expect(await ledger.duplicate(claim, holder.id, content('x').rawSha256)).toBe(true);
  expect(proxy.cuts).toBe(1);
  expect(await events(claim.id)).toEqual(['discovered', 'claimed', 'duplicate']);
});

async function wholeLife(path: string): Promise<Delivery> {
  const claim = await claimed(path);
  await ledger.fenced(claim);
  await ledger.streaming(claim, { id: 'u', token: 't' });
  await ledger.verified(claim, content(path), verify);
  await ledger.committed(claim, { how: 'acknowledged' });
  await ledger.cleaned(claim.id, undefined);
  return (await ledger.find(claim.id))!;
}

test.each(['client', 'server'] as const)(
  'a delivery arrives wherever a message of the %s is lost',
  async (side) => {
    const life = [
      'discovered',
      'claimed',
      'fenced',
      'streaming',
      'verified',
      'committed',
      'cleaned',
    ];
    let lost = 0;
    for (let message = 1; message <= 200; message++) {
      proxy.cutMessage(side, message);
      const delivery = await wholeLife(`${message}/a`);
      expect(delivery.state).toBe('CLEANED');
      expect(await events(delivery.id)).toEqual(life);
      if (proxy.cuts === lost) break;
      lost = proxy.cuts;
    }
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(200);
    const { rows } = await admin.query<{ twice: number }>(
      'select count(*) - count(distinct delivery_id) as twice from octo.outbox',
    );
    expect(rows).toEqual([{ twice: '0' }]);
  },
);

async function manyClaimed(count: number, prefix = ''): Promise<Delivery[]> {
  const named = (n: number): Discovery => ({ ...version(`${prefix}${n}/a`), key: `${prefix}${n}` });
  await ledger.discover(
    scope,
    Array.from({ length: count }, (_, n) => named(n)),
  );
  return await ledger.claimMany(request, count);
}

test('many claims whose answer is lost are found again, not made twice', async () => {
  proxy.cutAt('SELECT 5');
  const claims = await manyClaimed(5);
  expect(proxy.cuts).toBe(1);
  expect(claims.map(({ path }) => path)).toEqual(['0/a', '1/a', '2/a', '3/a', '4/a']);
  for (const { id } of claims) expect(await events(id)).toEqual(['discovered', 'claimed']);
  expect(await ledger.claim(request)).toBeUndefined();
});

test('many that move together are answered although the first answer was lost', async () => {
  const claims = await manyClaimed(7);
  proxy.cutAt('SELECT 7');
  await Promise.all(claims.map((claim) => ledger.streaming(claim, { id: claim.id, token: 't' })));
  expect(proxy.cuts).toBe(1);
  for (const { id } of claims) {
    expect((await ledger.find(id))!.uploadId).toBe(id);
    expect(await events(id)).toEqual(['discovered', 'claimed', 'streaming']);
  }
});

test('what the database cannot take harms nobody else', async () => {
  const claims = await manyClaimed(5);
  const tokenOf = (claim: Delivery): string => (claim === claims[2] ? 'not text: \0' : 'token');
  const answers = await Promise.allSettled(
    claims.map((claim) => ledger.streaming(claim, { id: claim.id, token: tokenOf(claim) })),
  );
  expect(answers.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  for (const claim of claims)
    expect((await ledger.find(claim.id))!.uploadId).toBe(
      claim === claims[2] ? undefined : claim.id,
    );
});

test('a content that another process takes at the same moment costs only its own', async () => {
  const claims = await manyClaimed(3);
  // As if its transaction were open while the batch looks: what it holds shows at the unique index.
  await admin.query('begin');
  const { rawSha256 } = content('theirs');
  const scopeOf = `'pipeline'`;
  await ledger.discover(scope, [version('theirs')]);
  await admin.query(
    `update octo.delivery set held_raw = $1, held_scope = ${scopeOf}, state = 'VERIFIED'
     where path = $2`,
    [rawSha256, Buffer.from('theirs')],
  );
  const verifying = Promise.all(
    claims.map((claim, n) =>
      ledger.verified(claim, content(n === 1 ? 'theirs' : `own ${n}`), {
        ...verify,
        duplicates: 'pipeline',
      }),
    ),
  );
  await blocked();
  await admin.query('commit');
  expect((await verifying).map(({ answer }) => answer)).toEqual(['reserved', 'held', 'reserved']);
});

/** Resolves when a statement of the ledger waits for a lock. */
async function blocked(): Promise<void> {
  for (let looks = 0; looks < 10_000; looks++) {
    const { rows } = await admin.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'octo'`,
    );
    if (rows.length > 0) return;
  }
  throw new Error('no statement waits');
}

test('a database that goes away is told to each of many', async () => {
  const claims = await manyClaimed(3);
  const clock = new HurriedClock();
  const place = { config: proxy.config, description: 'test', revive: async () => undefined };
  await using hurried = await PostgresLedger.open(place, { clock, logger });
  await proxy[Symbol.asyncDispose]();
  const answers = await Promise.allSettled(claims.map((claim) => hurried.fenced(claim)));
  for (const answer of answers)
    expect(answer).toMatchObject({ reason: { code: 'OCTO_DATABASE_UNREACHABLE' } });
});

test.each(['client', 'server'] as const)(
  'many arrive together wherever a message of the %s is lost',
  async (side) => {
    const life = ['discovered', 'claimed', 'streaming', 'verified', 'committed', 'cleaned'];
    let lost = 0;
    for (let message = 1; message <= 200; message++) {
      proxy.cutMessage(side, message);
      const claims = await manyClaimed(4, `${message} `);
      await Promise.all(claims.map((it) => ledger.streaming(it, { id: it.id, token: 't' })));
      await Promise.all(claims.map((it) => ledger.verified(it, content(it.path), verify)));
      await Promise.all(claims.map((it) => ledger.committed(it, { how: 'acknowledged' })));
      await Promise.all(claims.map((it) => ledger.cleaned(it.id, undefined)));
      expect(claims).toHaveLength(4);
      for (const { id } of claims) expect(await events(id)).toEqual(life);
      if (proxy.cuts === lost) break;
      lost = proxy.cuts;
    }
    expect(lost).toBeGreaterThan(7);
    expect(lost).toBeLessThan(200);
  },
);

test('a network that swallows packets is given up, and the statement asked again', async () => {
  const config = { ...proxy.config, query_timeout: 200 };
  const place = { config, description: 'test', revive: async () => undefined };
  await using impatient = await PostgresLedger.open(place, { clock: systemClock, logger });
  const claim = await claimed('a');
  proxy.silenceAt(INSERTED);
  await impatient.fenced(claim);
  expect(proxy.cuts).toBe(1);
  expect(await events(claim.id)).toEqual(['discovered', 'claimed', 'fenced']);
});

test('a process that lost its connection shows itself again', async () => {
  const claim = await claimed('a');
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'octo presence'`,
  );
  const other = await PostgresLedger.open(server, { clock: systemClock, logger });
  await using _ = other;
  // Who waits for a place of this ledger waits for its new connection.
  await using place = await ledger.lockPlace('somewhere');
  expect(place).toBeDefined();
  expect(await other.claim(request)).toBeUndefined();
  expect(await ledger.renew(claim, 60_000)).toBe(true);
});

/** Waiting costs it nothing. */
class HurriedClock implements Clock {
  #elapsedMs = 0;
  now = (): number => Date.now() + this.#elapsedMs;
  monotonic = (): number => this.#elapsedMs;
  sleep = async (ms: number): Promise<void> => void (this.#elapsedMs += ms);
}

function openAt(config: object): Promise<PostgresLedger> {
  const place = { config, description: 'the test database', revive: async () => undefined };
  return PostgresLedger.open(place, { clock: new HurriedClock(), logger });
}

test('a wrong password is refused in words without the password', async () => {
  const wrong = openAt({ ...server.config, password: 'hunter2-secret' });
  await expect(wrong).rejects.toMatchObject({
    code: 'OCTO_DATABASE_REFUSED',
    message: expect.not.stringContaining('hunter2'),
  });
});

test('a database that does not exist is named', async () => {
  const wrong = openAt({ ...server.config, database: 'nowhere' });
  await expect(wrong).rejects.toMatchObject({
    code: 'OCTO_DATABASE_REFUSED',
    message: expect.stringContaining('nowhere'),
  });
});

test('a server that stays away is reported after a while', async () => {
  const away = openAt({ ...server.config, host: '/nonexistent' });
  await expect(away).rejects.toMatchObject({ code: 'OCTO_DATABASE_UNREACHABLE' });
});

test('a replica that accepts no changes is reported after a while', async () => {
  await using reader = await openAt({
    ...server.config,
    options: '-c default_transaction_read_only=on',
  });
  expect(await reader.list({ limit: 1 })).toEqual([]);
  await expect(reader.discover(scope, [version('a')])).rejects.toMatchObject({
    code: 'OCTO_DATABASE_READ_ONLY',
  });
});
