import { describe, expect, test } from 'vitest';
import { fuzzEnvelopes } from './fuzz/fuzz-envelopes.ts';
import { fuzzReplies } from './fuzz/fuzz-replies.ts';
import { isAcceptable } from './fuzz/reference-verdict.ts';
import { SAMPLES } from './fuzz/samples.ts';
import { verdict } from './replies.ts';

/** `npm run conformance` goes on from here to a million. */
const SEED = 20_260_115;

describe('broken replies', () => {
  test('of 20 000, none crashes the parser, and it accepts what a simple reading of the whole accepts', async () => {
    const { accepted, refused } = await fuzzReplies(SEED, 20_000);
    // Both happen often enough that the comparison says something.
    expect(accepted).toBeGreaterThan(1_000);
    expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10_000);
    expect(Object.keys(refused).length).toBeGreaterThan(4);
  }, 120_000);

  test('in broken envelopes are opened or refused, and accepted only when they are right', async () => {
    const outcomes = await fuzzEnvelopes(SEED, 1_000);
    expect([...outcomes.keys()]).toEqual(
      expect.arrayContaining([
        'accepted',
        'auth WRONG_KEY',
        'integrity MALFORMED',
        'integrity TRUNCATED',
      ]),
    );
  }, 120_000);

  test('that were cut off anywhere are refused, but for a CSV that ends with a whole row', () => {
    for (const sample of SAMPLES) {
      const mayEnd = sample.toString('latin1', 0, 3) === 'DL_' ? isAcceptable : () => false;
      const whole = sample.toString('latin1').trimEnd().length;
      const cuts = Array.from({ length: whole }, (_, length) => sample.subarray(0, length));
      const wrong = cuts.filter((cut) => (verdict(cut) === 'accepted') !== mayEnd(cut));
      expect(wrong.map(String)).toEqual([]);
    }
  });

  test('are what the reference says of the samples themselves: right', () => {
    for (const sample of SAMPLES) {
      expect(isAcceptable(sample)).toBe(true);
      expect(verdict(sample)).toBe('accepted');
    }
  });
});
