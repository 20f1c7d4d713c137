import { expect, test } from 'vitest';
import { fuzzEnvelopes } from '../test/formats/fuzz/fuzz-envelopes.ts';
import { fuzzReplies } from '../test/formats/fuzz/fuzz-replies.ts';

const SEED = 20_260_115;

test('of a million broken replies none crashes the parser, and none is accepted wrongly', async () => {
  const { inputs, accepted, refused } = await fuzzReplies(SEED, 1_000_000);
  console.info(`seed ${SEED}: ${inputs} inputs, ${accepted} accepted, ${JSON.stringify(refused)}`);
  expect(accepted + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(1_000_000);
}, 3_600_000);

test('of fifty thousand broken envelopes none leads to a reply that is accepted wrongly', async () => {
  const outcomes = await fuzzEnvelopes(SEED, 50_000);
  console.info(`seed ${SEED}: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  expect(outcomes.size).toBeGreaterThan(3);
}, 3_600_000);
