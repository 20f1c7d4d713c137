import { RecordingLogger } from '@octo/plugin-testing';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { PostgresLedger } from '../../src/ledger/postgres-ledger.ts';
import type { PipelineConfig, WebhookConfig } from '../../src/manifest/manifest.ts';
import { Notifying } from '../../src/notify/notifying.ts';
import { signedHeaders } from '../../src/notify/sign.ts';
import { webhookOf } from '../../src/notify/webhook.ts';
import type { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { postgresServer } from '../ledger/postgres-server.ts';
import { defaultConfig } from '../pipeline/pipeline-bench.ts';
import { startReceiver, type Received, type Receiver } from './receiver.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const scope = { pipeline: 'feed', sink: 's3://lake' };

let server: EmbeddedPostgres;
let admin: Client;
let ledger: PostgresLedger;

beforeAll(async () => {
  server = await postgresServer();
  ledger = await PostgresLedger.open(server, {
    clock: systemClock,
    logger: new RecordingLogger(),
  });
  admin = new Client(server.config);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await ledger[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await admin.query(
    'truncate octo.delivery, octo.event, octo.outbox, octo.notice, octo.webhook, octo.last_delivery, octo.run cascade',
  );
});

/** A host's notifying, and somebody who listens. */
async function listening(
  webhook: Partial<WebhookConfig> = {},
  pipelines: readonly PipelineConfig[] = [],
) {
  const receiver = await startReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const logger = new RecordingLogger();
  const open = async () => {
    const notifying = await Notifying.open({
      place: server,
      webhooks: [
        webhookOf({
          name: 'ops',
          url: receiver.url,
          secret: SECRET,
          allow: { hosts: [], privateNetworks: false },
          on: ['delivered', 'quarantined', 'failed', 'late'],
          ...webhook,
        }),
      ],
      pipelines: () => pipelines,
      clock: systemClock,
      random: () => 0.5,
      logger,
    });
    onTestFinished(() => notifying[Symbol.asyncDispose]());
    return notifying;
  };
  return { receiver, logger, open, notifying: await open() };
}

async function claimed(path: string) {
  const version = { path, name: path, size: 1, mtimeMs: 1000, location: path };
  await ledger.discover(scope, [{ ...version, key: `in/${path}` }]);
  const request = { ...scope, leaseMs: 60_000, keyAt: (key: string) => key } as const;
  return (await ledger.claim({ ...request, onReissue: 'version' }))!;
}

async function deliver(path: string): Promise<string> {
  const claim = await claimed(path);
  const hash = Buffer.alloc(32, path);
  const content = {
    rawSha256: hash,
    plainSha256: hash,
    plainBytes: 7,
    plainCrc64: Buffer.alloc(8),
  };
  const options = { duplicates: 'off', facts: {}, refuseReissue: false } as const;
  await ledger.verified(claim, content, options);
  await ledger.committed(claim, { how: 'acknowledged' });
  return claim.id;
}

const told = ({ received }: Receiver) =>
  received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const isSigned = ({ headers, body }: Received): boolean => {
  const id = String(headers['webhook-id']);
  const seconds = Number(headers['webhook-timestamp']);
  const expected = signedHeaders({ id, body }, SECRET, seconds * 1000);
  return headers['webhook-signature'] === expected['webhook-signature'];
};

/** Everything that waits for another try is due. */
const hurry = () => admin.query('update octo.notice set not_before = clock_timestamp()');

test('what was delivered and what was set aside is told, signed, with the facts', async () => {
  const { receiver, notifying } = await listening();
  const id = await deliver('a.csv');
  const bad = await claimed('b.csv');
  await ledger.exit(bad, 'QUARANTINED', 'TAMPERED: changed on its way');
  const link = { path: 'c', name: 'c', size: 1, mtimeMs: 1, location: 'c' };
  const [refused] = await ledger.refuse(scope, [{ ...link, reason: 'a link' }]);
  await notifying.gather();
  await notifying.tell();
  expect(told(receiver)).toHaveLength(3);
  expect(told(receiver)).toEqual(
    expect.arrayContaining([
      {
        type: 'file.delivered',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        data: {
          pipeline: 'feed',
          delivery: id,
          path: 'a.csv',
          key: 'in/a.csv',
          bytes: 7,
          sha256: Buffer.alloc(32, 'a.csv').toString('hex'),
        },
      },
      quarantined(bad.id, 'b.csv', 'TAMPERED: changed on its way'),
      quarantined(refused!.id, 'c', 'a link'),
    ]),
  );
  expect(receiver.received.every(isSigned)).toBe(true);
});

function quarantined(delivery: string, path: string, reason: string) {
  const data = { pipeline: 'feed', delivery, path, reason };
  return { type: 'file.quarantined', timestamp: expect.any(String), data };
}

test('what is taken is told once, by however many hosts', async () => {
  const { receiver, notifying, open } = await listening();
  const other = await open();
  const ids = await Promise.all(['a.csv', 'b.csv', 'c.csv'].map(deliver));
  await Promise.all([notifying.gather(), other.gather()]);
  await Promise.all([notifying.tell(), other.tell()]);
  await hurry();
  await Promise.all([notifying.tell(), other.tell()]);
  const deliveries = told(receiver).map(({ data }) => (data as { delivery: string }).delivery);
  expect(deliveries.toSorted()).toEqual(ids.toSorted());
});

test('what was not taken is told again, the same message under the same id, later', async () => {
  const { receiver, notifying, logger } = await listening();
  await deliver('a.csv');
  await notifying.gather();
  receiver.answer = () => ({ status: 503 });
  await notifying.tell();
  await notifying.tell();
  expect(receiver.received).toHaveLength(1);
  expect(logger.entries).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      fields: expect.objectContaining({ webhook: 'ops', reason: 'it answered 503' }),
    }),
  );
  receiver.answer = () => ({ status: 200 });
  await hurry();
  await notifying.tell();
  await hurry();
  await notifying.tell();
  const [first, second, ...more] = receiver.received;
  expect(more).toEqual([]);
  expect(second!.body).toBe(first!.body);
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
});

test('a receiver that is not there is no error of the host, and its address is not told', async () => {
  const { receiver, notifying, logger } = await listening();
  await deliver('a.csv');
  await notifying.gather();
  await receiver[Symbol.asyncDispose]();
  await notifying.tell();
  expect(JSON.stringify(logger.entries)).toContain('it could not be reached (ECONNREFUSED)');
  expect(JSON.stringify(logger.entries)).not.toContain(receiver.url);
  const { rows } = await admin.query('select attempts, done_at from octo.notice');
  expect(rows).toEqual([{ attempts: 1, done_at: null }]);
});

test('a receiver may say when to come again, and that it wants nothing more', async () => {
  const { receiver, notifying, logger } = await listening();
  await deliver('a.csv');
  await notifying.gather();
  receiver.answer = () => ({ status: 429, headers: { 'retry-after': '1800' } });
  await notifying.tell();
  const { rows } = await admin.query<{ minutes: number }>(
    'select (extract(epoch from not_before - clock_timestamp()) / 60)::int as minutes from octo.notice',
  );
  expect(rows).toEqual([{ minutes: 30 }]);
  receiver.answer = () => ({ status: 410 });
  await hurry();
  await notifying.tell();
  await hurry();
  await notifying.tell();
  expect(receiver.received).toHaveLength(2);
  expect(logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('redirects are not followed: a signed message goes where the manifest says', async () => {
  const other = await startReceiver();
  onTestFinished(() => other[Symbol.asyncDispose]());
  const { receiver, notifying } = await listening();
  receiver.answer = () => ({ status: 307, headers: { location: other.url } });
  await deliver('a.csv');
  await notifying.gather();
  await notifying.tell();
  expect(receiver.received).toHaveLength(1);
  expect(other.received).toEqual([]);
});

test('a webhook is told what it wants to hear, and nothing from before it was there', async () => {
  await deliver('before.csv');
  const { receiver, notifying } = await listening({ on: ['delivered'], pipelines: ['feed'] });
  await deliver('after.csv');
  await ledger.exit(await claimed('bad.csv'), 'QUARANTINED', 'TAMPERED');
  await notifying.gather();
  await notifying.tell();
  expect(told(receiver).map(({ data }) => (data as { path: string }).path)).toEqual(['after.csv']);
});

test('what was quarantined, released and quarantined again is told twice', async () => {
  const { receiver, notifying } = await listening();
  const first = await claimed('a.csv');
  await ledger.exit(first, 'QUARANTINED', 'NO_KEY');
  await notifying.gather();
  await ledger.release(first.id);
  const request = { ...scope, leaseMs: 60_000, keyAt: (key: string) => key } as const;
  const again = (await ledger.claim({ ...request, onReissue: 'version' }))!;
  await ledger.exit(again, 'QUARANTINED', 'NO_KEY');
  await notifying.gather();
  await notifying.tell();
  expect(told(receiver).map(({ type }) => type)).toEqual(['file.quarantined', 'file.quarantined']);
});

test('a run that failed for good is told once, and one that goes on or was cancelled is not', async () => {
  const { receiver, notifying } = await listening();
  const { rows } = await admin.query<{ id: string }>(`
    insert into octo.run (id, pipeline, trigger, requested_by, state, ended_at, error_code, error_message)
    select gen_random_uuid(), 'feed', 'schedule', 'host', state, clock_timestamp(), 'NETWORK', 'no route'
    from unnest(array['FAILED', 'QUEUED', 'CANCELLED', 'SUCCEEDED']) as state returning id`);
  await notifying.gather();
  await notifying.gather();
  await notifying.tell();
  const data = { run: rows[0]!.id, state: 'FAILED', code: 'NETWORK', reason: 'no route' };
  expect(told(receiver)).toEqual([
    {
      type: 'run.failed',
      timestamp: expect.any(String),
      data: { pipeline: 'feed', ...data },
    },
  ]);
});

test('silence is told once, and anew after the next delivery', async () => {
  const pipeline = { ...defaultConfig, everyMs: 1000, lateAfterMs: 60_000 };
  const { receiver, notifying, open } = await listening({}, [pipeline]);
  const age = (minutes: number) =>
    admin.query(`
      update octo.webhook set since = since - interval '${minutes} minutes';
      update octo.last_delivery set at = at - interval '${minutes} minutes'`);
  await notifying.gather();
  await age(5);
  const later = await open();
  await later.gather();
  await later.gather();
  await later.tell();
  expect(told(receiver)).toEqual([
    {
      type: 'pipeline.late',
      timestamp: expect.any(String),
      data: { pipeline: 'feed', since: expect.any(String), lateAfterMs: 60_000 },
    },
  ]);
  await deliver('a.csv');
  await later.gather();
  await age(5);
  await later.gather();
  await later.tell();
  expect(told(receiver).map(({ type }) => type)).toEqual([
    'pipeline.late',
    'file.delivered',
    'pipeline.late',
  ]);
});

test('it goes on by itself until it is disposed', async () => {
  const { receiver, notifying } = await listening();
  const heard = Promise.withResolvers<void>();
  receiver.answer = () => {
    heard.resolve();
    return { status: 204 };
  };
  notifying.begin();
  await deliver('a.csv');
  await heard.promise;
  await notifying[Symbol.asyncDispose]();
  expect(receiver.received.filter(isSigned)).toHaveLength(1);
});
