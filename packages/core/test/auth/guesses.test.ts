import { randomBytes } from 'node:crypto';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { credentialHash, newCredential, type Credential } from '../../src/auth/credential.ts';
import { Damping } from '../../src/auth/damping.ts';
import { Doorkeeper } from '../../src/auth/doorkeeper.ts';
import { KnownKeys } from '../../src/auth/known-keys.ts';
import { Secret } from '../../src/observe/secret.ts';
import type { Tokens } from '../../src/auth/tokens.ts';

const GUESSES = 100_000;
const EVERY_MS = 10;

test('of 100,000 guesses from one address a few hundred are looked at, and who has a key is let in all the while', async () => {
  const clock = new ManualClock(Date.now());
  const pepper = new Secret(randomBytes(32));
  const own = newCredential(randomBytes);
  const key = { id: own.id, name: 'ci', scopes: [], createdAt: 0 };
  const stored = { key, hash: credentialHash(own, pepper) };
  const store = {
    find: async (id: string) => (id === own.id ? stored : undefined),
    hashOf: (credential: Credential) => credentialHash(credential, pepper),
    touch: async () => {},
  };
  const keys = new KnownKeys({ store, clock, logger: new RecordingLogger() });
  const tokens = {} as Tokens;
  const doorkeeper = new Doorkeeper({ keys, tokens, damping: new Damping(clock) });
  const owners = new Set<string>();
  const answers = { known: 0, unknown: 0, wait: 0 };
  for (let guess = 0; guess < GUESSES; guess++) {
    const text = `octo_${own.id}_${String(guess).padStart(43, 'x')}`;
    answers[(await doorkeeper.admit(text, 'the guesser')).answer] += 1;
    if (guess % 100 > 0) continue;
    owners.add((await doorkeeper.admit(own.text, 'somewhere else')).answer);
    await clock.advance(100 * EVERY_MS);
  }
  // Twenty at once, and one more every three seconds.
  const allowed = 20 + (GUESSES * EVERY_MS) / 3000;
  expect([...owners]).toEqual(['known']);
  expect(answers.known).toBe(0);
  expect(answers.unknown).toBeGreaterThan(20);
  expect(answers.unknown).toBeLessThanOrEqual(Math.ceil(allowed));
  expect(answers.unknown + answers.wait).toBe(GUESSES);
});
