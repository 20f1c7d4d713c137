import { ManualClock } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { DeliveryState } from '../../src/ledger/delivery.ts';
import type { Claimed } from '../../src/ledger/ledger.ts';
import { numberedKey } from '../../src/pipeline/object-key.ts';
import { Deaths } from '../../src/workers/deaths.ts';
import { Hands } from '../../src/workers/hands.ts';
import { markIn, markText } from '../../src/workers/mark.ts';
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

const request = { ...scope, leaseMs: 60_000, keyAt: numberedKey, onReissue: 'version' } as const;

/** A pipeline whose workers are played: each reads what it has in hand, and dies of some. */
class Play {
  readonly clock = new ManualClock();
  readonly ledger = new MemoryLedger({ clock: this.clock });
  readonly handed: string[][] = [];
  readonly #most: number;
  readonly #deaths = new Deaths(WORKER_LIMITS, this.clock);
  readonly #suspects = new Suspects(this.#deaths, WORKER_LIMITS, this.clock);
  #hands = new Hands(this.#suspects);

  constructor(most: number) {
    this.#most = most;
  }

  get isQuarantined(): boolean {
    return this.#deaths.areTooMany;
  }

  async list(names: readonly string[]): Promise<void> {
    const version = (name: string) => ({ path: name, name, size: 1, mtimeMs: 1, location: name });
    const found = names.map((name) => ({ ...version(name), key: name }));
    this.#suspects.learn((await this.ledger.discover(scope, found)).known);
  }

  /** Workers until nothing is left, or the pipeline is quarantined. */
  async go(kills: (claim: Claimed) => boolean): Promise<void> {
    for (let processes = 0; processes < 200 && !this.isQuarantined; processes++)
      if (!(await this.#worker(kills))) return;
  }

  /** Another process. */
  begin(): Hands {
    this.#hands = new Hands(this.#suspects);
    this.#hands.begin();
    return this.#hands;
  }

  async die(): Promise<void> {
    this.#suspects.died('was ended by SIGKILL', await this.#hands.end());
    await this.#hands.giveBack();
  }

  async verify(claim: Claimed): Promise<void> {
    const options = { duplicates: 'off', facts: {}, refuseReissue: false } as const;
    await this.ledger.verified(claim, content(claim.id), options);
  }

  async end(claim: Claimed): Promise<void> {
    if (claim.setAside === undefined) {
      await this.verify(claim);
      await this.ledger.committed(claim, { how: 'acknowledged' });
    } else await this.ledger.exit(claim, 'QUARANTINED', claim.setAside);
    this.#hands.drop(claim, { isRead: true });
  }

  async named(state: DeliveryState): Promise<string[]> {
    const found = await this.ledger.list({ states: [state], limit: 1000 });
    return found.map(({ name }) => name).toSorted();
  }

  /** Whether it died. */
  async #worker(kills: (claim: Claimed) => boolean): Promise<boolean> {
    const hands = this.begin();
    for (;;) {
      const claims = await hands.claim(this.ledger, request, this.#most);
      if (claims.length === 0) return false;
      this.handed.push(claims.map(({ name }) => name));
      if (claims.some(kills)) {
        await this.die();
        return true;
      }
      for (const claim of claims) await this.end(claim);
    }
  }
}

/** What kills by being read does so no more when it is only to be set aside. */
const reading =
  (kills: (name: string) => boolean) =>
  ({ name, setAside }: Claimed): boolean =>
    setAside === undefined && kills(name);

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => String(n).padStart(3, '0'));

async function played(names: readonly string[], most: number, deadly: readonly string[]) {
  const play = new Play(most);
  await play.list(names);
  await play.go(reading((name) => deadly.includes(name)));
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

test('however many there are, those far apart do not add up', async () => {
  const names = numbered(300);
  const deadly = names.filter((_, n) => n % 25 === 13);
  const { isQuarantined, delivered, setAside } = await played(names, 24, deadly);
  expect(isQuarantined).toBe(false);
  expect(setAside).toEqual(deadly);
  expect(delivered).toHaveLength(288);
});

test('four in a row look like a plugin that is broken', async () => {
  const names = numbered(20);
  const { isQuarantined, setAside } = await played(names, 24, names.slice(0, 4));
  expect({ isQuarantined, setAside }).toEqual({ isQuarantined: true, setAside: [] });
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
  const ends: boolean[] = [];
  for (let seed = 1; seed <= 50; seed++) {
    const play = new Play(8);
    await play.list(names);
    let state = seed;
    await play.go(() => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff < 0.05);
    expect(await play.named('QUARANTINED')).toEqual([]);
    const delivered = await play.named('COMMITTED');
    ends.push(play.isQuarantined || delivered.length === names.length);
  }
  expect(ends).toEqual(Array(50).fill(true));
});

test.each([
  [{ alone: 0, how: 'was ended by SIGKILL' }, 12],
  [{ alone: 1, how: 'ended with exit code 7' }, 0],
  [{ alone: 2, how: 'threw where nobody catches: line 1\nline 2. It was late' }, 1],
])('a mark is read as it was written', (mark, others) => {
  expect(markIn(markText(mark, others))).toEqual(mark);
});

test('reasons of another kind, and none, are no marks', () => {
  expect(['REISSUE: other content', 'the run was stopped', undefined].map(markIn)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('what is known of a file outlives the process of the host', async () => {
  const names = numbered(3);
  const play = new Play(4);
  await play.list(names);
  const [claim] = await play.ledger.claimMany(request, 1);
  await play.ledger.park(claim!, markText({ alone: 2, how: 'ended with exit code 7' }, 5), 0);
  await play.list(names);
  await play.go(reading((name) => name === '000'));
  expect(play.handed.map((one) => one.join(' '))).toEqual(['001', '000', '002', '000']);
  const [setAside] = await play.ledger.list({ match: '000', limit: 1 });
  expect(setAside).toMatchObject({
    state: 'QUARANTINED',
    reason: expect.stringMatching(/3 times/),
  });
});

test('what may still be committed is looked for first, many at a time and beside others', async () => {
  const play = new Play(4);
  await play.list(['a', 'b', 'c']);
  const claims = await play.begin().claim(play.ledger, request, 4);
  for (const claim of claims.slice(0, 2)) {
    await play.verify(claim);
    await play.ledger.streaming(claim, { id: 'upload', token: 'token' });
  }
  await play.die();
  const hands = play.begin();
  const looks = await hands.claim(play.ledger, request, 4);
  expect(looks.map(({ name, onlyLook }) => [name, onlyLook])).toEqual([
    ['a', expect.stringContaining('WORKER_DIED')],
    ['b', expect.stringContaining('WORKER_DIED')],
  ]);
  const [c, ...more] = await hands.claim(play.ledger, request, 4);
  expect([c?.name, c?.onlyLook, more.length]).toEqual(['c', undefined, 0]);
  expect(await hands.claim(play.ledger, request, 4)).toEqual([]);
  await play.end(c!);
  for (const look of looks) {
    await play.ledger.fenced(look);
    await play.ledger.park(look, look.onlyLook!, 0);
    hands.drop(look);
  }
  const [a, ...others] = await hands.claim(play.ledger, request, 4);
  expect([a?.name, a?.onlyLook, others.length]).toEqual(['a', undefined, 0]);
});

test('a claim whose answer the worker did not live to hear is given back without a mark', async () => {
  const play = new Play(4);
  await play.list(['a']);
  const hands = play.begin();
  const answer = hands.during(hands.claim(play.ledger, request, 1));
  const held = hands.end();
  await answer;
  expect(await held).toEqual([]);
  await hands.giveBack();
  const [a] = await play.ledger.list({ limit: 1 });
  expect(a).toMatchObject({
    leaseUntil: undefined,
    reason: 'its worker ended before it could begin',
  });
});

test('what cannot even be looked for is left alone for a day', async () => {
  const play = new Play(4);
  await play.list(['a', 'b']);
  await play.go(({ name }) => name === 'a');
  const [b] = await play.ledger.list({ match: 'b', limit: 1 });
  const [a] = await play.ledger.list({ match: 'a', limit: 1 });
  expect(b?.state).toBe('COMMITTED');
  expect(a?.reason).toContain('WORKER_DIED: 4 deaths alone');
  expect(+a!.notBefore! - play.clock.now()).toBe(86_400_000);
  expect(play.isQuarantined).toBe(false);
});
