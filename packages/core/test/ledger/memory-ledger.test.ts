import { ManualClock } from '@octo/plugin-testing';
import { describe } from 'vitest';
import { MemoryLedger, MemoryStore } from './memory-ledger.ts';
import { ledgerSuite } from './ledger-suite.ts';

describe('the ledger in memory', () => {
  ledgerSuite(async () => {
    const clock = new ManualClock();
    const store = new MemoryStore();
    const dead = new Set<string>();
    const isAlive = (owner: string): boolean => !dead.has(owner);
    return {
      open: async (owner) => new MemoryLedger({ clock, store, owner, isAlive }),
      kill: async (owner) => void dead.add(owner),
      elapse: (ms) => clock.advance(ms),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
});
