import { ManualClock } from '@octo/plugin-testing';
import { PluginError, type VisibleObject } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { deliveryId } from '../../src/ledger/delivery-id.ts';
import type { Delivery } from '../../src/ledger/delivery.ts';
import { Comparison, type ComparisonOptions } from '../../src/pipeline/comparison.ts';

const never = new AbortController().signal;
const hash = Buffer.alloc(32, 1);

function delivery(name: string, overrides: Partial<Delivery> = {}): Delivery {
  const scope = { pipeline: 'daily', sink: 'memory://lake' };
  const version = { path: name, name, size: 1, mtimeMs: 1, location: name };
  const verified = {
    rawSha256: hash,
    plainSha256: hash,
    plainBytes: 9,
    plainCrc64: Buffer.alloc(8),
  };
  return {
    ...scope,
    ...version,
    verified,
    heldRaw: hash,
    objectKey: name,
    attempt: 1n,
    id: deliveryId(scope, version),
    state: 'CLEANED',
    ...overrides,
  } as Delivery;
}

const objectOf = ({ id }: Delivery): VisibleObject => {
  return { bytes: 9, metadata: { 'octo-delivery': id } };
};

function comparison(
  head: (key: string) => Promise<VisibleObject | undefined>,
  overrides: Partial<ComparisonOptions> = {},
) {
  const told: string[] = [];
  const policy = { attempts: 1, timeoutMs: 1000 };
  const made = new Comparison({
    files: { now: async (id) => all.find((one) => one.id === id) },
    sinkOf: () => ({ id: 'lake', policy, head }),
    clock: new ManualClock(0),
    random: () => 0,
    onDifference: ({ path }, { kind }) => void told.push(`${path} ${kind}`),
    ...overrides,
  });
  return { made, told };
}

const all = Array.from({ length: 100 }, (_, index) => delivery(`file-${index}`));

test('differences are told in the order of the ledger, whoever answers first', async () => {
  const gates = new Map(all.map(({ path }) => [path, Promise.withResolvers<undefined>()]));
  const { made, told } = comparison(async (key) => await gates.get(key)!.promise);
  const added = made.add(all, never);
  for (const { path } of all.toReversed()) gates.get(path)!.resolve(undefined);
  await added;
  expect(told).toEqual(all.map(({ path }) => `${path} missing`));
});

test('a sink is asked for a few objects at a time', async () => {
  let [asked, most] = [0, 0];
  const { made } = comparison(async (key) => {
    most = Math.max(most, ++asked);
    await new Promise(setImmediate);
    asked -= 1;
    return objectOf(all.find(({ path }) => path === key)!);
  });
  await made.add(all, never);
  expect({ agreeing: made.agreeing, most }).toEqual({ agreeing: 100, most: 16 });
});

test('a sink that does not answer is not asked for all the rest, and nothing is called missing', async () => {
  let asked = 0;
  const down = new PluginError('provider_down', 'closed for today');
  const { made, told } = comparison(async () => {
    asked += 1;
    throw down;
  });
  await made.add(all, never);
  await made.add(all, never);
  expect(asked).toBeLessThanOrEqual(16);
  expect(made.failures).toEqual(new Map([['lake', down]]));
  expect(made.unseen).toEqual([{ sink: 'memory://lake', pipeline: 'daily', files: 200 }]);
  expect(told).toEqual([]);
});

test('a row that a run moves meanwhile is looked at as it is now', async () => {
  const [one, other, third] = all as [Delivery, Delivery, Delivery];
  const moved = { ...one, attempt: 2n, objectKey: 'file-0~2' };
  const rows = new Map([
    [one.id, moved],
    [other.id, undefined],
    [third.id, { ...third, attempt: 2n }],
  ]);
  const files = { now: async (id: string) => rows.get(id) };
  const { made, told } = comparison(
    async (key) => (key === 'file-0~2' ? objectOf(one) : undefined),
    { files },
  );
  await made.add([one, other, third], never);
  expect({ agreeing: made.agreeing, told }).toEqual({ agreeing: 1, told: ['file-2 missing'] });
});

test('whoever interrupts it is heard', async () => {
  const stop = new AbortController();
  const { made } = comparison(async () => {
    stop.abort(new Error('enough'));
    return await new Promise<never>(() => {});
  });
  await expect(made.add(all, stop.signal)).rejects.toThrow('enough');
});
