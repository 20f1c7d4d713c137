import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { Claimed } from '../../src/ledger/ledger.ts';
import { numberedKey } from '../../src/pipeline/object-key.ts';
import { Deaths } from '../../src/workers/deaths.ts';
import { Hands } from '../../src/workers/hands.ts';
import { Suspects } from '../../src/workers/suspects.ts';
import { WORKER_LIMITS } from '../../src/workers/worker-limits.ts';
import { MemoryLedger } from '../ledger/memory-ledger.ts';

const scope = { pipeline: 'daily', sink: 'file:///out' };
const content = (id: string) => ({
  rawSha256: Buffer.from(id),
  plainSha256: Buffer.from(id),
  plainBytes: 1,
  plainCrc64: Buffer.alloc(8),
});

/** A pipeline whose workers are played: each reads what it has in hand, and dies of what `kills` names. */
class Play {
  readonly clock = new ManualClock();
  readonly ledger = new MemoryLedger({ clock: this.clock });
  readonly handed: string[][] = [];
  readonly #most: number;
  #deaths = new Deaths(WORKER_LIMITS, this.clock);
  #suspects = new Suspects(this.#deaths, WORKER_LIMITS, this.clock);

  constructor(most: number) {
    this.#most = most;
  }

  get isQuarantined(): boolean {
    return this.#deaths.areTooMany;
  }

  async list(names: readonly string[]): Promise<void> {
    const versions = names.map((name) => ({
      path: name,
      name,
      size: 1,
      mtimeMs: 1,
      location: name,
      key: name,
    }));
    const { known } = await this.ledger.discover(scope, versions);
    this.#suspects.learn(known);
  }

  /** Another process of the host: what it knows, the ledger has told it. */
  async restart(names: readonly string[]): Promise<void> {
    this.#deaths = new Deaths(WORKER_LIMITS, this.clock);
    this.#suspects = new Suspects(this.#deaths, WORKER_LIMITS, this.clock);
    await this.list(names);
  }

  /** Workers until nothing is left, or the pipeline is quarantined. */
  async go(kills: (name: string) => boolean): Promise<void> {
    for (let processes = 0; processes < 200 && !this.isQuarantined; processes++)
      if (!(await this.#worker(kills))) return;
  }

  /** Whether it died. */
  async #worker(kills: (name: string) => boolean): Promise<boolean> {
    const hands = new Hands(this.#suspects);
    hands.begin();
    for (;;) {
      const claims = await this.#claims(hands);
      if (claims.length === 0) return false;
      this.handed.push(claims.map(({ name }) => name));
      if (claims.some(({ name, setAside }) => setAside === undefined && kills(name))) {
        const held = await hands.end();
        const ids = held.map(({ id }) => id);
        this.#suspects.died('was ended by SIGKILL', ids);
        await hands.giveBack();
        return true;
      }
      for (const claim of claims) await this.#end(hands, claim);
    }
  }

  async #claims(hands: Hands): Promise<readonly Claimed[]> {
    const request = {
      ...scope,
      leaseMs: 60_000,
      keyAt: numberedKey,
      onReissue: 'version',
    } as const;
    return await hands.claim(this.ledger, request, this.#most);
  }

  async #end(hands: Hands, claim: Claimed): Promise<void> {
    if (claim.setAside === undefined) {
      await this.ledger.verified(claim, content(claim.id), {
        duplicates: 'off',
        facts: {},
        refuseReissue: false,
      });
      await this.ledger.committed(claim, { how: 'acknowledged' });
    } else await this.ledger.exit(claim, 'QUARANTINED', claim.setAside);
    hands.drop(claim, { isRead: true });
  }

  async named(...states: readonly string[]): Promise<string[]> {
    const all = await this.ledger.list({ pipeline: 'daily', limit: 1000 });
    return all
      .filter(({ state }) => states.includes(state))
      .map(({ name }) => name)
      .toSorted();
  }
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => String(n).padStart(3, '0'));

async function played(names: readonly string[], most: number, deadly: readonly string[]) {
  const play = new Play(most);
  await play.list(names);
  await play.go((name) => deadly.includes(name));
  return {
    play,
    isQuarantined: play.isQuarantined,
    delivered: await play.named('COMMITTED'),
    setAside: await play.named('QUARANTINED'),
  };
}

test.each([
  ['the first of many', 24, ['000']],
  ['one in the middle', 24, ['011']],
  ['the last one', 24, ['019']],
  ['three in a row at the end', 24, ['017', '018', '019']],
  ['the first, one at a time', 1, ['000']],
  ['two in a row, one at a time', 1, ['004', '005']],
  ['every second one', 4, ['001', '003', '005', '007', '009', '011', '013']],
])('%s is set aside, and all others are delivered', async (_, most, deadly) => {
  const names = numbered(20);
  const { isQuarantined, delivered, setAside } = await played(names, most, deadly);
  expect(isQuarantined).toBe(false);
  expect(setAside).toEqual(deadly);
  expect(delivered).toEqual(names.filter((name) => !deadly.includes(name)));
});

test('a suspect is never in hand with anything else', async () => {
  const { play } = await played(numbered(20), 8, ['005', '012']);
  const company = play.handed.filter((names) => names.length > 1).flat();
  // In company each of the two has killed once; from then on it is alone.
  expect(company.filter((name) => name === '005' || name === '012').toSorted()).toEqual([
    '005',
    '012',
  ]);
});

test.each([1, 4, 24])(
  'a plugin that dies of everything has its pipeline quarantined, and no file; %i at a time',
  async (most) => {
    const names = numbered(20);
    const { isQuarantined, setAside } = await played(names, most, names);
    expect(isQuarantined).toBe(true);
    expect(setAside).toEqual([]);
  },
);

test('the only file of a pipeline is set aside after three deaths', async () => {
  const { isQuarantined, setAside, play } = await played(['only'], 4, ['only']);
  expect({ isQuarantined, setAside }).toEqual({ isQuarantined: false, setAside: ['only'] });
  expect(play.handed).toHaveLength(4);
});

test('deaths by chance cost no file more than another try', async () => {
  const names = numbered(40);
  for (let seed = 1; seed <= 50; seed++) {
    const play = new Play(8);
    await play.list(names);
    let state = seed;
    await play.go(() => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff < 0.05);
    expect(await play.named('QUARANTINED')).toEqual([]);
    if (!play.isQuarantined) expect(await play.named('COMMITTED')).toEqual(names);
  }
});

test('what is known of a file outlives the process of the host', async () => {
  const names = numbered(3);
  const play = new Play(4);
  await play.list(names);
  let left = 2;
  await play.go((name) => name === '001' && left-- > 0).catch(() => {});
  expect(play.handed.map((one) => one.join(' '))).toEqual([
    '000 001 002',
    '000',
    '001',
    '002',
    '001',
  ]);
  const other = new Play(4);
  await other.list(names);
  left = 2;
  const request = { ...scope, leaseMs: 60_000, keyAt: numberedKey, onReissue: 'version' } as const;
  const [claim] = await other.ledger.claimMany({ ...request }, 1);
  await other.ledger.park(
    claim!,
    'WORKER_DIED: 2 deaths alone; the last time the worker was ended by SIGKILL. It is tried alone next, and set aside after 3',
    0,
  );
  await other.restart(names);
  await other.go((name) => name === '000');
  expect(await other.named('QUARANTINED')).toEqual(['000']);
  expect(other.handed.filter((one) => one.includes('000'))).toEqual([['000'], ['000']]);
});
