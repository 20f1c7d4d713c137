import type { Scenario } from './protocol-world.ts';

const v1 = { path: 'a.csv', content: 'version one', mtimeMs: 1000 };
const v2 = { path: 'a.csv', content: 'version two', mtimeMs: 2000 };
const touched = { path: 'a.csv', content: 'version one', mtimeMs: 3000 };
const twin = { path: 'b.csv', content: 'version one', mtimeMs: 1000 };
const once = { duplicates: 'pipeline' } as const;

/** The worlds that the protocol must hold in. */
export const scenarios = {
  'one version, two processes': { workers: 2, files: [v1] },
  'one small version, two processes': { workers: 2, files: [v1], smallBytes: 100 },
  'a sweeper that aborts any upload': { workers: 1, files: [v1], adversary: true },
  'a stranger at the key': { workers: 1, files: [v1], stranger: true },
  'a re-issue': { workers: 1, files: [v1], later: [v2] },
  'a re-issue, two processes': { workers: 2, files: [v1], later: [v2] },
  'a touched file': { workers: 1, files: [v1], later: [touched] },
  'the same content at two paths': { workers: 2, files: [v1, twin], config: once },
  'the same small content twice': { workers: 2, files: [v1, twin], smallBytes: 100, config: once },
  'a move at the vendor': { workers: 1, files: [v1], later: [v2], afterCommit: 'move' },
  'a store that finishes late': { workers: 2, files: [v1], completesAfterAbort: true },
  'an overwriting re-issue': {
    workers: 1,
    files: [v1],
    later: [v2],
    config: { onReissue: 'overwrite' },
  },
} as const satisfies Record<string, Scenario>;

/** Where each planted mistake shows, how many faults and switches that takes, and which promise it breaks. */
export const mistakes = {
  noReservation: ['the same content at two paths', { faults: 0, switches: 0 }, /^G2/],
  noAbort: ['one version, two processes', { faults: 2, switches: 1 }, /^G4/],
  noLook: ['one version, two processes', { faults: 1, switches: 0 }, /^G4/],
  unconditional: ['a stranger at the key', { faults: 1, switches: 0 }, /^G2/],
  unfenced: ['one version, two processes', { faults: 2, switches: 1 }, /^G4/],
  hopeful: ['one version, two processes', { faults: 1, switches: 0 }, /^G4/],
  existsIsSuccess: ['a stranger at the key', { faults: 1, switches: 0 }, /^G4/],
  noGrace: ['a store that finishes late', { faults: 2, switches: 0 }, /^G4/],
  recordFirst: ['one version, two processes', { faults: 1, switches: 0 }, /^G4/],
} as const satisfies Record<
  string,
  readonly [keyof typeof scenarios, { readonly faults: number; readonly switches: number }, RegExp]
>;
