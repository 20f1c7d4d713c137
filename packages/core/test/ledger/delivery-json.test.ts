import { expect, test } from 'vitest';
import type { Delivery } from '../../src/ledger/delivery.ts';
import { deliveryJson } from '../../src/ledger/delivery-json.ts';

const found = {
  id: 'd'.repeat(64),
  pipeline: 'trades',
  sink: 'file:///out',
  path: 'in/a.csv',
  name: 'a.csv',
  size: 4,
  mtimeMs: Number.MAX_VALUE,
  location: 'in/a.csv',
  state: 'DISCOVERED',
  attempt: (1_790_000_000n << 20n) + 3n,
  discoveredAt: new Date(0),
  facts: {},
} as unknown as Delivery;

test('programs see how often a file was tried, not how the ledger counts it', () => {
  expect(deliveryJson(found)['attempt']).toBe(3);
});

test('what is not known, or is no time, is absent', () => {
  expect(JSON.parse(JSON.stringify(deliveryJson(found)))).toEqual({
    id: found.id,
    pipeline: 'trades',
    sink: 'file:///out',
    path: 'in/a.csv',
    name: 'a.csv',
    size: 4,
    location: 'in/a.csv',
    state: 'DISCOVERED',
    attempt: 3,
    discoveredAt: '1970-01-01T00:00:00.000Z',
    facts: {},
  });
});
