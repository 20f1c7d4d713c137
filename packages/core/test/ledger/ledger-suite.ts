import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliveryId } from '../../src/ledger/delivery-id.ts';
import type { Delivery, VerifiedContent } from '../../src/ledger/delivery.ts';
import { FencedOut } from '../../src/ledger/fenced-out.ts';
import type {
  ClaimRequest,
  Discovery,
  Ledger,
  VerifiedAnswer,
  VerifyOptions,
} from '../../src/ledger/ledger.ts';

/** A store with processes that use it. */
export interface LedgerWorld extends AsyncDisposable {
  /** A ledger as a process of its own has it. */
  open(process: string): Promise<Ledger>;
  /** The process of this name dies at once. */
  kill(process: string): Promise<void>;
  /** Time goes by. */
  elapse(ms: number): Promise<void>;
}

const SCOPE = { pipeline: 'settlements', sink: 's3://lake/affirm' };
const MINUTE = 60_000;

function version(path: string, more: Partial<Discovery> = {}): Discovery {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { path, name, size: 10, mtimeMs: 1000, location: path, key: name, ...more };
}

function keyAt(key: string, index: number): string {
  return index === 0 ? key : `${key}~${index + 1}`;
}

function request(more: Partial<ClaimRequest> = {}): ClaimRequest {
  return { ...SCOPE, leaseMs: MINUTE, keyAt, onReissue: 'version', ...more };
}

function sha(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function content(text: string): VerifiedContent {
  const plainCrc64 = sha(text).subarray(0, 8);
  return { rawSha256: sha(text), plainSha256: sha(text), plainBytes: text.length, plainCrc64 };
}

function only<T>(items: readonly T[]): T {
  const [item, ...more] = items;
  if (item === undefined || more.length > 0) throw new Error(`${items.length} items, not one`);
  return item;
}

/** The contract of {@link Ledger}, for every implementation. */
export function ledgerSuite(create: () => Promise<LedgerWorld>): void {
  let world: LedgerWorld;
  let ledger: Ledger;

  beforeEach(async () => {
    world = await create();
    ledger = await world.open('one');
  });
  afterEach(() => world[Symbol.asyncDispose]());

  async function discovered(path: string, more: Partial<Discovery> = {}): Promise<Delivery> {
    return only((await ledger.discover(SCOPE, [version(path, more)])).added);
  }
  async function claimed(path: string, more: Partial<Discovery> = {}): Promise<Delivery> {
    const { id } = await discovered(path, more);
    return (await ledger.claim(request({ ids: [id] })))!;
  }
  async function verify(
    delivery: Delivery,
    text: string,
    more: Partial<VerifyOptions> = {},
  ): Promise<VerifiedAnswer> {
    const options = { duplicates: 'name', facts: {}, refuseReissue: false, ...more } as const;
    return await ledger.verified(delivery, content(text), options);
  }
  async function committed(
    path: string,
    text = path,
    more: Partial<Discovery> = {},
  ): Promise<Delivery> {
    const delivery = await claimed(path, more);
    await verify(delivery, text);
    await ledger.committed(delivery, { how: 'acknowledged', etag: 'e1' });
    return (await ledger.find(delivery.id))!;
  }
  async function events(id: string): Promise<string[]> {
    return (await ledger.history(id)).map(({ event }) => event);
  }
  async function state(id: string): Promise<string | undefined> {
    return (await ledger.find(id))?.state;
  }

  describe('discovery', () => {
    test('new versions are DISCOVERED in the order of the listing', async () => {
      const { added } = await ledger.discover(SCOPE, [version('b'), version('a')]);
      expect(added.map(({ path, state }) => [path, state])).toEqual([
        ['b', 'DISCOVERED'],
        ['a', 'DISCOVERED'],
      ]);
      expect(added.toSorted((a, b) => (a.discovered < b.discovered ? -1 : 1))).toEqual(added);
      expect(added[0]?.id).toBe(deliveryId(SCOPE, version('b')));
    });

    test('everything that identifies a version comes back as it was given', async () => {
      const odd = version('in/\u0000\u0007ä😀.csv', { size: 2 ** 52, mtimeMs: 1234.5678 });
      await ledger.discover(SCOPE, [{ ...odd, location: 'archive/\u0000', group: 'day' }]);
      const found = await ledger.find(deliveryId(SCOPE, odd));
      expect(found).toMatchObject({ ...SCOPE, path: odd.path, name: odd.name, size: 2 ** 52 });
      expect(found).toMatchObject({
        mtimeMs: 1234.5678,
        location: 'archive/\u0000',
        group: 'day',
      });
    });

    test('a second listing finds everything known and changes nothing', async () => {
      const first = await discovered('a');
      const again = await ledger.discover(SCOPE, [version('a')]);
      expect(again.added).toEqual([]);
      expect(again.known).toEqual([first]);
    });

    test('a version listed twice in one listing is one delivery', async () => {
      const twice = [version('a'), version('a', { location: 'archive/a' })];
      const { added, known } = await ledger.discover(SCOPE, twice);
      expect([added.length, known.length]).toEqual([1, 0]);
    });

    test('another size or time is another version, another sink another delivery', async () => {
      await discovered('a');
      await discovered('a', { mtimeMs: 1001 });
      await discovered('a', { size: 11 });
      await ledger.discover({ ...SCOPE, sink: 'elsewhere' }, [version('a')]);
      expect(await ledger.countOpen(SCOPE)).toBe(3);
    });

    test('two processes that list at once add each version once', async () => {
      const other = await world.open('two');
      const versions = Array.from({ length: 300 }, (_, i) => version(`f${i}`));
      const results = await Promise.all([
        ledger.discover(SCOPE, versions),
        other.discover(SCOPE, versions.toReversed()),
      ]);
      expect(results.flatMap(({ added }) => added)).toHaveLength(300);
      expect(results.flatMap(({ known }) => known)).toHaveLength(300);
    });

    test('an open delivery learns where its bytes lie now', async () => {
      const { id } = await discovered('a');
      const moved = version('a', { location: 'archive/a' });
      const { known } = await ledger.discover(SCOPE, [moved]);
      expect(known[0]?.location).toBe('archive/a');
      expect((await ledger.find(id))!.location).toBe('archive/a');
    });

    test('a superseded version that is listed again is reopened behind the others', async () => {
      const gone = await claimed('a');
      await ledger.exit(gone, 'SUPERSEDED', 'gone');
      const later = await discovered('b');
      const { reopened } = await ledger.discover(SCOPE, [version('a', { key: 'other' })]);
      expect(reopened[0]).toMatchObject({ id: gone.id, state: 'DISCOVERED', wantedKey: 'other' });
      expect(only(reopened).discovered).toBeGreaterThan(later.discovered);
      expect(reopened[0]?.reason).toBeUndefined();
    });

    test('a reopened delivery is out of reach for the attempt that gave it up', async () => {
      const gone = await claimed('a');
      await ledger.exit(gone, 'SUPERSEDED', 'gone');
      await ledger.discover(SCOPE, [version('a')]);
      await expect(ledger.exit(gone, 'SUPERSEDED', 'gone')).rejects.toThrow(FencedOut);
    });

    test('a refused version cannot be released, but begins anew when it is fit to be opened', async () => {
      await ledger.refuse(SCOPE, [{ ...version('x'), reason: 'NOT_A_FILE: link' }]);
      const id = deliveryId(SCOPE, version('x'));
      expect(await ledger.release(id)).toBe(false);
      const { reopened } = await ledger.discover(SCOPE, [version('x')]);
      expect(only(reopened)).toMatchObject({ id, state: 'DISCOVERED', wantedKey: 'x' });
      expect(only(reopened).reason).toBeUndefined();
      expect(await ledger.claim(request())).toMatchObject({ id, objectKey: 'x' });
    });

    test('a refused version is QUARANTINED with its reason and reported once', async () => {
      const refused = [{ ...version('x'), reason: 'UNREADABLE_NAME: \u0000' }];
      const [first] = await ledger.refuse(SCOPE, refused);
      expect(first).toMatchObject({ state: 'QUARANTINED', path: 'x' });
      expect(await ledger.refuse(SCOPE, refused)).toEqual([]);
      expect(await ledger.claim(request())).toBeUndefined();
    });
  });

  describe('claiming', () => {
    test('the delivery with the smallest discovery number comes first', async () => {
      await ledger.discover(SCOPE, [version('b'), version('a')]);
      const paths = [await ledger.claim(request()), await ledger.claim(request())];
      expect(paths.map((it) => it!.path)).toEqual(['b', 'a']);
      expect(await ledger.claim(request())).toBeUndefined();
    });

    test('a claim raises the attempt, names its owner and takes the wanted key', async () => {
      const before = await discovered('dir/a.csv');
      const delivery = (await ledger.claim(request()))!;
      expect(delivery).toMatchObject({ state: 'CLAIMED', objectKey: 'a.csv' });
      expect(delivery.attempt).toBe(before.attempt + 1n);
      expect(delivery.owner).toEqual(expect.any(String));
      expect(delivery.leaseUntil).toBeInstanceOf(Date);
    });

    test('only the wanted ids, and none of the excluded ones', async () => {
      const { added } = await ledger.discover(
        SCOPE,
        ['a', 'b', 'c'].map((p) => version(p)),
      );
      const [a, b, c] = added.map(({ id }) => id) as [string, string, string];
      expect((await ledger.claim(request({ ids: [b, c] })))!.id).toBe(b);
      expect((await ledger.claim(request({ exclude: [a] })))!.id).toBe(c);
      expect(await ledger.claim(request({ ids: [] }))).toBeUndefined();
    });

    test('another pipeline or sink has nothing to claim', async () => {
      await discovered('a');
      expect(await ledger.claim(request({ pipeline: 'other' }))).toBeUndefined();
      expect(await ledger.claim(request({ sink: 'other' }))).toBeUndefined();
    });

    test('eight claimants never get the same delivery, nor the same key', async () => {
      const versions = Array.from({ length: 40 }, (_, i) => version(`d${i}/a.csv`));
      await ledger.discover(SCOPE, versions);
      const ledgers = [ledger, await world.open('two'), await world.open('three')];
      const claims = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const mine: Delivery[] = [];
          for (let n = 0; n < 40; n++) {
            const claim = await ledgers[i % ledgers.length]?.claim(request());
            if (claim !== undefined) mine.push(claim);
          }
          return mine;
        }),
      );
      const all = claims.flat();
      expect(new Set(all.map(({ id }) => id)).size).toBe(40);
      expect(all).toHaveLength(40);
      const keys = Array.from({ length: 40 }, (_, i) => keyAt('a.csv', i));
      expect(new Set(all.map(({ objectKey }) => objectKey))).toEqual(new Set(keys));
    });

    test('a lease that ran out lets the next one in, with everything that was stored', async () => {
      const first = await claimed('a');
      await ledger.streaming(first, { id: 'upload', token: 'token' });
      await verify(first, 'text');
      const other = await world.open('two');
      expect(await other.claim(request())).toBeUndefined();
      await world.elapse(MINUTE);
      const second = (await other.claim(request()))!;
      expect(second).toMatchObject({
        state: 'CLAIMED',
        uploadId: 'upload',
        uploadToken: 'token',
      });
      expect(second).toMatchObject({ objectKey: 'a', heldRaw: sha('text') });
      expect(second.verified).toEqual(content('text'));
      expect(second.attempt).toBe(first.attempt + 1n);
    });

    test('the deliveries of a process that died are claimable at once', async () => {
      const other = await world.open('two');
      await discovered('a');
      expect(await other.claim(request())).toBeDefined();
      expect(await ledger.claim(request())).toBeUndefined();
      await world.kill('two');
      expect(await ledger.claim(request())).toBeDefined();
    });

    test('a renewed lease lasts', async () => {
      const delivery = await claimed('a');
      await world.elapse(MINUTE / 2);
      expect(await ledger.renew(delivery, 2 * MINUTE)).toBe(true);
      await world.elapse(MINUTE);
      const other = await world.open('two');
      expect(await other.claim(request())).toBeUndefined();
    });

    test('a parked delivery keeps what it had and waits its time', async () => {
      const delivery = await claimed('a');
      await ledger.streaming(delivery, { id: 'upload', token: 'token' });
      await verify(delivery, 'text');
      await ledger.park(delivery, 'sink is down', MINUTE);
      expect(await ledger.find(delivery.id)).toMatchObject({
        state: 'VERIFIED',
        reason: 'sink is down',
        uploadId: 'upload',
        objectKey: 'a',
        heldRaw: sha('text'),
        owner: undefined,
        leaseUntil: undefined,
      });
      expect(await ledger.claim(request())).toBeUndefined();
      expect(await ledger.renew(delivery, MINUTE)).toBe(false);
      await world.elapse(MINUTE);
      const again = await ledger.claim(request());
      expect(again).toMatchObject({
        uploadId: 'upload',
        notBefore: undefined,
        reason: undefined,
      });
    });
  });

  describe('many at once', () => {
    async function claimedMany(paths: readonly string[]): Promise<Delivery[]> {
      await ledger.discover(
        SCOPE,
        paths.map((path) => version(path)),
      );
      return await ledger.claimMany(request(), paths.length);
    }

    test('they come in the order of discovery, each with a key of its own', async () => {
      const versions = ['x/a', 'y/b', 'z/a', 'w/c'].map((path) => version(path));
      await ledger.discover(SCOPE, versions);
      const claims = await ledger.claimMany(request(), 3);
      const more = await ledger.claimMany(request(), 10);
      expect([...claims, ...more].map(({ path }) => path)).toEqual(['x/a', 'y/b', 'z/a', 'w/c']);
      expect([...claims, ...more].map(({ objectKey }) => objectKey)).toEqual([
        'a',
        'b',
        'a~2',
        'c',
      ]);
      expect(await ledger.claimMany(request(), 10)).toEqual([]);
      expect(await ledger.claimMany(request(), 0)).toEqual([]);
    });

    test('each is claimed as one alone is', async () => {
      const [first] = await claimedMany(['a', 'b']);
      expect(await ledger.find(first!.id)).toEqual(first);
      expect(await events(first!.id)).toEqual(['discovered', 'claimed']);
    });

    test('only those of a size, if one is named', async () => {
      const large = version('large', { size: 1000 });
      await ledger.discover(SCOPE, [large, version('small', { size: 99 })]);
      const claims = await ledger.claimMany(request({ maxBytes: 99 }), 10);
      expect(claims.map(({ path }) => path)).toEqual(['small']);
      expect((await ledger.claim(request()))!.path).toBe('large');
    });

    test('versions that replace one another are claimed one by one', async () => {
      await ledger.discover(SCOPE, [version('a'), version('b'), version('a', { mtimeMs: 2000 })]);
      const overwrite = request({ onReissue: 'overwrite' });
      const [a, ...others] = await ledger.claimMany(overwrite, 10);
      expect(others).toEqual([]);
      expect(a!.path).toBe('a');
      expect((await ledger.claimMany(overwrite, 10))[0]!.path).toBe('b');
      expect(await ledger.claimMany(overwrite, 10)).toEqual([]);
    });

    test('one that was taken over hears of it, and the others get on', async () => {
      const claims = await claimedMany(['a', 'b', 'c', 'd']);
      const late = claims[1]!;
      await ledger.park(late, 'for another', 0);
      const now = (await ledger.claim(request({ ids: [late.id] })))!;
      const untouched = await ledger.find(late.id);
      const early = claims.map((claim) => ledger.streaming(claim, upload(claim)));
      expect((await Promise.allSettled(early))[1]).toMatchObject({
        reason: expect.any(FencedOut) as FencedOut,
      });
      expect(await ledger.find(late.id)).toEqual(untouched);
      const told = async (move: (claim: Delivery) => Promise<unknown>): Promise<string[]> =>
        (await Promise.allSettled([...claims, now].map(move))).map(({ status }) => status);
      const mixed = ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'];
      expect(await told((claim) => ledger.streaming(claim, upload(claim)))).toEqual(mixed);
      expect(await told((claim) => verify(claim, claim.path))).toEqual(mixed);
      expect((await ledger.find(late.id))!.uploadId).toBe(upload(now).id);
      expect(await told((claim) => ledger.fenced(claim))).toEqual(mixed);
      expect(await told((claim) => ledger.committed(claim, { how: 'acknowledged' }))).toEqual(
        mixed,
      );
      expect(await events(claims[3]!.id)).toEqual([
        'discovered',
        'claimed',
        'streaming',
        'streaming',
        'verified',
        'fenced',
        'committed',
      ]);
    });

    function upload({ id, attempt }: Delivery): { readonly id: string; readonly token: string } {
      return { id: `upload of ${id}, ${attempt}`, token: 'token' };
    }

    test('each keeps what was said of it, and of no other', async () => {
      const claims = await claimedMany(['a', 'b', 'c']);
      await Promise.all(claims.map((claim) => ledger.streaming(claim, upload(claim))));
      await Promise.all(claims.map((it) => verify(it, it.path, { facts: { said: it.path } })));
      for (const claim of claims)
        expect(await ledger.find(claim.id)).toMatchObject({
          uploadId: upload(claim).id,
          verified: content(claim.path),
          facts: { said: claim.path },
        });
      const etagOf = ({ path }: Delivery): string => `etag of ${path}`;
      await Promise.all(
        claims.map((it) => ledger.committed(it, { how: 'acknowledged', etag: etagOf(it) })),
      );
      await Promise.all(claims.map((it) => ledger.cleaned(it.id, `archive/${it.path}`)));
      for (const claim of claims)
        expect(await ledger.find(claim.id)).toMatchObject({
          state: 'CLEANED',
          etag: etagOf(claim),
          location: `archive/${claim.path}`,
        });
    });

    test('where nothing is to be done at the vendor, a delivery is CLEANED at once', async () => {
      const claims = await claimedMany(['a', 'b']);
      await Promise.all(claims.map((claim) => verify(claim, claim.path)));
      const [a, b] = claims as [Delivery, Delivery];
      await Promise.all([
        ledger.committed(a, { how: 'acknowledged', clean: true }),
        ledger.committed(b, { how: 'acknowledged' }),
      ]);
      expect([await state(a.id), await state(b.id)]).toEqual(['CLEANED', 'COMMITTED']);
      expect((await ledger.find(a.id))!.committedAt).toBeInstanceOf(Date);
      expect((await events(a.id)).slice(-2)).toEqual(['committed', 'cleaned']);
      expect((await events(b.id)).at(-1)).toBe('committed');
      expect((await ledger.uncleaned(SCOPE, 10)).map(({ id }) => id)).toEqual([b.id]);
      // A lost answer: the same once more.
      await ledger.committed(a, { how: 'acknowledged', clean: true });
      expect((await events(a.id)).slice(-2)).toEqual(['committed', 'cleaned']);
    });

    test('of those that bring the same content at the same moment one reserves it', async () => {
      const claims = await claimedMany(['a', 'b', 'c', 'd']);
      const texts = ['same', 'same', 'own', 'same'];
      const answers = await Promise.all(
        claims.map((claim, index) => verify(claim, texts[index]!, { duplicates: 'pipeline' })),
      );
      const kinds = answers.map(({ answer }) => answer);
      expect(kinds.toSorted()).toEqual(['held', 'held', 'reserved', 'reserved']);
      expect(kinds[2]).toBe('reserved');
      const holder = claims.find((_, index) => index !== 2 && kinds[index] === 'reserved')!;
      const held = answers.filter(({ answer }) => answer === 'held');
      const byHolder = { answer: 'held', holder: holder.id, state: 'VERIFIED' };
      expect(held).toEqual([byHolder, byHolder]);
    });

    test('a reissue among others is refused alone', async () => {
      await committed('a', 'before');
      const again = (await ledger.discover(SCOPE, [version('a', { mtimeMs: 2000 })])).added;
      const claims = [...(await ledger.claimMany(request(), 1)), ...(await claimedMany(['b']))];
      const answers = await Promise.all(
        claims.map((claim) => verify(claim, `new ${claim.path}`, { refuseReissue: true })),
      );
      expect(claims[0]!.id).toBe(only(again).id);
      expect(answers.map(({ answer }) => answer)).toEqual(['reissue', 'reserved']);
    });
  });

  describe('the fence', () => {
    test('an attempt that was taken over can change nothing', async () => {
      const late = await claimed('a', {});
      await world.elapse(MINUTE);
      const now = (await ledger.claim(request()))!;
      const before = await ledger.find(now.id);
      const moves: (() => Promise<unknown>)[] = [
        () => ledger.fenced(late),
        () => ledger.streaming(late, { id: 'u', token: 't' }),
        () => verify(late, 'late'),
        () => ledger.wait(late, 'other', sha('late')),
        () => ledger.duplicate(late, 'other', sha('late')),
        () => ledger.nextKey(late, keyAt),
        () => ledger.committed(late, { how: 'acknowledged' }),
        () => ledger.exit(late, 'QUARANTINED', 'late'),
        () => ledger.park(late, 'late', 0),
      ];
      for (const move of moves) await expect(move()).rejects.toThrow(FencedOut);
      expect(await ledger.renew(late, MINUTE)).toBe(false);
      expect(await ledger.find(now.id)).toEqual(before);
      expect(await events(now.id)).toEqual(['discovered', 'claimed', 'claimed']);
    });

    test('a final delivery is not opened again by its own late attempt', async () => {
      const delivery = await committed('a');
      await expect(verify(delivery, 'other')).rejects.toThrow(FencedOut);
      await expect(ledger.streaming(delivery, { id: 'u', token: 't' })).rejects.toThrow(FencedOut);
      await expect(ledger.exit(delivery, 'SUPERSEDED', 'late')).rejects.toThrow(FencedOut);
      expect(await ledger.renew(delivery, MINUTE)).toBe(false);
      expect(await state(delivery.id)).toBe('COMMITTED');
    });

    test('the same statement again, after a lost answer, is a success and no second event', async () => {
      const delivery = await claimed('a');
      await verify(delivery, 'text');
      await ledger.committed(delivery, { how: 'acknowledged', etag: 'e' });
      await ledger.committed(delivery, { how: 'acknowledged', etag: 'e' });
      const told = await events(delivery.id);
      expect(told.filter((event) => event === 'committed')).toHaveLength(1);
      const bad = await claimed('b');
      await ledger.exit(bad, 'QUARANTINED', 'broken');
      await ledger.exit(bad, 'QUARANTINED', 'broken');
      expect(await events(bad.id)).toEqual(['discovered', 'claimed', 'quarantined']);
    });

    test('the stored upload is cleared by the fence and stays through verification', async () => {
      const large = await claimed('large');
      await ledger.streaming(large, { id: 'u1', token: 't1' });
      expect(await ledger.find(large.id)).toMatchObject({ state: 'STREAMING', uploadId: 'u1' });
      await verify(large, 'large');
      expect(await ledger.find(large.id)).toMatchObject({ state: 'VERIFIED', uploadId: 'u1' });
      await ledger.fenced(large);
      const { uploadId, uploadToken, heldRaw } = (await ledger.find(large.id))!;
      expect([uploadId, uploadToken, heldRaw]).toEqual([undefined, undefined, sha('large')]);
      const small = await claimed('small');
      await verify(small, 'small');
      await ledger.streaming(small, { id: 'u2', token: 't2' });
      expect(await ledger.find(small.id)).toMatchObject({ state: 'VERIFIED', uploadId: 'u2' });
    });

    test('live uploads are those that open deliveries of the place name', async () => {
      const [open, closed] = [await claimed('a'), await claimed('b')];
      await ledger.streaming(open, { id: 'u1', token: 't' });
      await ledger.streaming(closed, { id: 'u2', token: 't' });
      await ledger.exit(closed, 'QUARANTINED', 'broken');
      expect(await ledger.liveUploads(SCOPE.sink)).toEqual(new Set(['u1']));
      expect(await ledger.liveUploads('elsewhere')).toEqual(new Set());
    });
  });

  describe('content', () => {
    test('the second of two twins is told who holds the content, and waits', async () => {
      const [one, two] = [await claimed('x/a'), await claimed('y/a')];
      expect(await verify(one, 'same')).toEqual({ answer: 'reserved' });
      const answer = { answer: 'held', holder: one.id, state: 'VERIFIED' };
      expect(await verify(two, 'same')).toEqual(answer);
      expect(await ledger.find(two.id)).toMatchObject({ state: 'CLAIMED', verified: undefined });
      expect(await ledger.duplicate(two, one.id, sha('same'))).toBe(false);
      await ledger.wait(two, one.id, sha('same'));
      expect(await ledger.claim(request())).toBeUndefined();
      await ledger.committed(one, { how: 'acknowledged' });
      const again = (await ledger.claim(request()))!;
      expect(again.id).toBe(two.id);
      expect(await verify(again, 'same')).toMatchObject({ answer: 'held', state: 'COMMITTED' });
      expect(await ledger.duplicate(again, one.id, sha('same'))).toBe(true);
      expect(await ledger.duplicate(again, one.id, sha('same'))).toBe(true);
      const end = (await ledger.find(two.id))!;
      expect(end).toMatchObject({ state: 'DUPLICATE_OF', duplicateOf: one.id });
      expect([end.objectKey, end.heldRaw, end.leaseUntil]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    test('who waits may go on when the holder gives up', async () => {
      const [one, two] = [await claimed('x/a'), await claimed('y/a')];
      await verify(one, 'same');
      await ledger.wait(two, one.id, sha('same'));
      await ledger.exit(one, 'QUARANTINED', 'broken');
      const again = (await ledger.claim(request()))!;
      expect(again.id).toBe(two.id);
      expect(await verify(again, 'same')).toEqual({ answer: 'reserved' });
    });

    test('who waits may go on when the holder holds other content now', async () => {
      const [one, two] = [await claimed('x/a'), await claimed('y/a')];
      await verify(one, 'same');
      await ledger.wait(two, one.id, sha('same'));
      await verify(one, 'other');
      expect((await ledger.claim(request()))!.id).toBe(two.id);
    });

    test('a content that the holder lost meanwhile is no reason for DUPLICATE_OF', async () => {
      const one = await committed('x/a', 'same');
      const two = await claimed('y/a');
      expect(await ledger.duplicate(two, one.id, sha('different'))).toBe(false);
      expect(await ledger.duplicate(two, 'unknown', sha('same'))).toBe(false);
      expect(await state(two.id)).toBe('CLAIMED');
    });

    test('of many twins that verify at once exactly one holds the content', async () => {
      const claims: Delivery[] = [];
      for (let i = 0; i < 8; i++) claims.push(await claimed(`${i}/a`));
      const answers = await Promise.all(claims.map((claim) => verify(claim, 'same')));
      const winners = claims.filter((_, i) => answers[i]?.answer === 'reserved');
      expect(winners).toHaveLength(1);
      const others = answers.filter(({ answer }) => answer === 'held');
      expect(others).toHaveLength(7);
      for (const other of others) expect(other).toMatchObject({ holder: winners[0]?.id });
    });

    test('the reservation survives the death of its attempt', async () => {
      const one = await claimed('x/a');
      await verify(one, 'same');
      await world.elapse(MINUTE);
      const again = (await ledger.claim(request()))!;
      expect(again.id).toBe(one.id);
      const two = await claimed('y/a');
      expect(await verify(two, 'same')).toMatchObject({ answer: 'held', holder: one.id });
    });

    test('duplicates: under the same name, in the whole pipeline, or not at all', async () => {
      await committed('x/a', 'same');
      expect(await verify(await claimed('b'), 'same')).toEqual({ answer: 'reserved' });
      const off = { duplicates: 'off' } as const;
      expect(await verify(await claimed('y/a'), 'same', off)).toEqual({ answer: 'reserved' });
      const pipeline = { duplicates: 'pipeline' } as const;
      const first = await claimed('c');
      expect(await verify(first, 'same', pipeline)).toEqual({ answer: 'reserved' });
      const second = await verify(await claimed('d'), 'same', pipeline);
      expect(second).toEqual({ answer: 'held', holder: first.id, state: 'VERIFIED' });
    });

    test('files without content are never duplicates', async () => {
      for (const duplicates of ['name', 'pipeline'] as const)
        for (const path of ['x/a', 'y/a']) {
          const raw = await claimed(`${duplicates}/${path}`, { size: 0 });
          expect(await verify(raw, '', { duplicates })).toEqual({ answer: 'reserved' });
          const plain = await claimed(`${duplicates}/packed/${path}`);
          expect(await verify(plain, '', { duplicates })).toEqual({ answer: 'reserved' });
        }
    });

    test('other content under a delivered path is a re-issue, when that is to be refused', async () => {
      const one = await committed('a', 'first');
      const two = await claimed('a', { mtimeMs: 2000 });
      const refuse = { refuseReissue: true };
      expect(await verify(two, 'second', refuse)).toEqual({ answer: 'reissue', of: one.id });
      expect(await state(two.id)).toBe('CLAIMED');
      expect(await verify(two, 'second')).toEqual({ answer: 'reserved' });
    });

    test('facts are merged, whatever a vendor wrote into them', async () => {
      const delivery = await claimed('a');
      await verify(delivery, 'text', { facts: { rows: 3, note: 'x' } });
      await verify(delivery, 'text', { facts: { note: 'y', nested: { total: 1.5 } } });
      const { facts } = (await ledger.find(delivery.id))!;
      expect(facts).toEqual({ rows: 3, note: 'y', nested: { total: 1.5 } });
      const odd = { odd: '\u0000\uD800' };
      expect(await verify(delivery, 'text', { facts: odd })).toEqual({ answer: 'reserved' });
    });
  });

  describe('keys', () => {
    test('a key that another delivery has is not given again, an exit frees it', async () => {
      const one = await claimed('x/a');
      const two = await claimed('y/a');
      expect([one.objectKey, two.objectKey]).toEqual(['a', 'a~2']);
      await ledger.exit(one, 'QUARANTINED', 'broken');
      expect((await claimed('z/a')).objectKey).toBe('a');
      expect((await claimed('w/a')).objectKey).toBe('a~3');
    });

    test('another pipeline that writes to the same place cannot get the same key', async () => {
      await claimed('x/a');
      const other = { pipeline: 'other', sink: SCOPE.sink };
      await ledger.discover(other, [version('x/a')]);
      expect((await ledger.claim(request(other)))!.objectKey).toBe('a~2');
    });

    test('the next key is behind the one that somebody else took', async () => {
      const delivery = await claimed('a');
      await ledger.streaming(delivery, { id: 'u', token: 't' });
      await claimed('y/a');
      expect(await ledger.nextKey(delivery, keyAt)).toBe('a~3');
      expect(await ledger.find(delivery.id)).toMatchObject({
        objectKey: 'a~3',
        uploadId: undefined,
      });
      expect(await ledger.nextKey(delivery, keyAt)).toBe('a~4');
    });
  });

  describe('overwriting', () => {
    const overwrite = request({ onReissue: 'overwrite' });

    test('a re-issue takes the key of what it replaces when it is committed', async () => {
      const one = await committed('a', 'first');
      const { id } = await discovered('a', { mtimeMs: 2000 });
      const two = (await ledger.claim(overwrite))!;
      expect(two).toMatchObject({ id, replaces: one.id, objectKey: 'a' });
      expect((await ledger.find(id))!.objectKey).toBeUndefined();
      await verify(two, 'second');
      await ledger.committed(two, { how: 'acknowledged', etag: 'e2' });
      expect(await ledger.find(id)).toMatchObject({ state: 'COMMITTED', objectKey: 'a' });
      const before = (await ledger.find(one.id))!;
      expect(before).toMatchObject({ state: 'SUPERSEDED', reason: `REPLACED_BY ${id}` });
      expect([before.objectKey, before.heldRaw]).toEqual([undefined, undefined]);
      expect((await events(one.id)).at(-1)).toBe('replaced');
      await ledger.committed(two, { how: 'acknowledged', etag: 'e2' });
    });

    test('a takeover finds the same object to replace', async () => {
      const one = await committed('a', 'first');
      await discovered('a', { mtimeMs: 2000 });
      await ledger.claim(overwrite);
      await world.elapse(MINUTE);
      expect(await ledger.claim(overwrite)).toMatchObject({ replaces: one.id, objectKey: 'a' });
    });

    test('versions of one path go one after the other', async () => {
      await discovered('a');
      await discovered('a', { mtimeMs: 2000 });
      await discovered('b');
      const first = (await ledger.claim(overwrite))!;
      expect(first).toMatchObject({ path: 'a', mtimeMs: 1000 });
      expect((await ledger.claim(overwrite))!.path).toBe('b');
      expect(await ledger.claim(overwrite)).toBeUndefined();
      await verify(first, 'first');
      await ledger.committed(first, { how: 'acknowledged' });
      expect(await ledger.claim(overwrite)).toMatchObject({ mtimeMs: 2000, replaces: first.id });
    });

    test('an elder that waits for the younger one does not block it', async () => {
      const elder = await claimed('a');
      const younger = await claimed('a', { mtimeMs: 2000 });
      await verify(younger, 'same');
      await ledger.wait(elder, younger.id, sha('same'));
      await ledger.park(younger, 'sink is down', 0);
      expect((await ledger.claim(overwrite))!.id).toBe(younger.id);
    });

    test('a replaced version in the archive stays replaced, one that is published again returns', async () => {
      const one = await committed('a', 'first');
      await ledger.cleaned(one.id, 'archive/a');
      await discovered('a', { mtimeMs: 2000 });
      const two = (await ledger.claim(overwrite))!;
      await verify(two, 'second');
      await ledger.committed(two, { how: 'acknowledged' });
      const archived = version('a', { location: 'archive/a' });
      expect((await ledger.discover(SCOPE, [archived])).reopened).toEqual([]);
      expect((await ledger.discover(SCOPE, [version('a')])).reopened).toHaveLength(1);
      const back = (await ledger.claim(overwrite))!;
      expect(back).toMatchObject({ id: one.id, replaces: two.id, objectKey: 'a' });
      await verify(back, 'first');
      await ledger.committed(back, { how: 'acknowledged' });
      expect(await state(one.id)).toBe('COMMITTED');
      expect(await state(two.id)).toBe('SUPERSEDED');
    });

    test('a stranger at the key to replace: the next key, and nothing is replaced', async () => {
      const one = await committed('a', 'first');
      await discovered('a', { mtimeMs: 2000 });
      const two = (await ledger.claim(overwrite))!;
      expect(await ledger.nextKey(two, keyAt)).toBe('a~2');
      await verify(two, 'second');
      await ledger.committed(two, { how: 'acknowledged' });
      expect(await state(one.id)).toBe('COMMITTED');
    });
  });

  describe('afterwards', () => {
    test('committed deliveries are to be cleaned up, oldest first, once', async () => {
      const [one, two] = [await committed('a'), await committed('b')];
      expect((await ledger.uncleaned(SCOPE, 10)).map(({ id }) => id)).toEqual([one.id, two.id]);
      await ledger.cleaned(one.id, 'archive/a');
      await ledger.cleaned(one.id, 'archive/again');
      expect((await ledger.uncleaned(SCOPE, 10)).map(({ id }) => id)).toEqual([two.id]);
      const cleaned = { state: 'CLEANED', location: 'archive/a', objectKey: 'a', etag: 'e1' };
      expect(await ledger.find(one.id)).toMatchObject(cleaned);
    });

    test('a group holds its delivered files only', async () => {
      const one = await committed('a', 'a', { group: 'day' });
      await discovered('b', { group: 'day' });
      await committed('c', 'c', { group: 'other' });
      expect((await ledger.group(SCOPE, 'day')).map(({ id }) => id)).toEqual([one.id]);
    });

    test('the list is newest first and knows names, paths, ids, keys and the asterisk', async () => {
      const one = await committed('in/a_b.csv');
      await discovered('in/axb.csv');
      const paths = async (match: string): Promise<string[]> =>
        (await ledger.list({ match, limit: 10 })).map(({ path }) => path);
      expect(await paths('*')).toEqual(['in/axb.csv', 'in/a_b.csv']);
      expect(await paths('a_b.csv')).toEqual(['in/a_b.csv']);
      expect(await paths('in/a_*')).toEqual(['in/a_b.csv']);
      expect(await paths(one.id)).toEqual(['in/a_b.csv']);
      expect(await paths('%')).toEqual([]);
      const done = await ledger.list({
        states: ['COMMITTED'],
        pipeline: 'settlements',
        limit: 1,
      });
      expect(done.map(({ id }) => id)).toEqual([one.id]);
      expect(await ledger.list({ pipeline: 'other', limit: 10 })).toEqual([]);
    });

    test('history tells every step with its attempt, oldest first', async () => {
      const delivery = await claimed('a');
      await ledger.note(delivery.id, 'warning', 'odd \u0000 header');
      await ledger.park(delivery, 'sink is down', 0);
      const again = (await ledger.claim(request()))!;
      await verify(again, 'text');
      await ledger.committed(again, { how: 'adopted' });
      const told = await ledger.history(delivery.id);
      expect(told.map(({ event, attempt }) => `${event} ${attempt}`)).toEqual([
        'discovered 0',
        'claimed 1',
        'warning 1',
        'parked 1',
        'claimed 2',
        'verified 2',
        'committed 2',
      ]);
      expect(told.at(-1)!.detail).toBe('adopted');
      expect(told[0]?.at).toBeInstanceOf(Date);
    });

    test('an operator may drive a quarantined delivery again, nothing else', async () => {
      const delivery = await claimed('a');
      expect(await ledger.release(delivery.id)).toBe(false);
      await ledger.exit(delivery, 'QUARANTINED', 'broken');
      expect(await ledger.release(delivery.id)).toBe(true);
      expect(await ledger.release(delivery.id)).toBe(false);
      const again = (await ledger.claim(request()))!;
      expect(again).toMatchObject({ id: delivery.id, reason: undefined });
      expect(again.discovered).toBeGreaterThan(delivery.discovered);
      expect(await events(delivery.id)).toContain('released');
    });
  });

  describe('sightings', () => {
    const one = version('a');
    const id = deliveryId(SCOPE, one);

    test('a version is stable when it was seen for long enough', async () => {
      expect(await ledger.sight(SCOPE, [one], MINUTE)).toEqual(new Set());
      await world.elapse(MINUTE / 2);
      expect(await ledger.sight(SCOPE, [one], MINUTE)).toEqual(new Set());
      await world.elapse(MINUTE / 2);
      expect(await ledger.sight(SCOPE, [one], MINUTE)).toEqual(new Set([id]));
    });

    test('without a settle time it is stable at once', async () => {
      expect(await ledger.sight(SCOPE, [one], 0)).toEqual(new Set([id]));
      expect(await ledger.sight(SCOPE, [], 0)).toEqual(new Set());
    });

    test('a file that changes starts anew, also when it changes back; others go on', async () => {
      const other = version('b');
      await ledger.sight(SCOPE, [one, other], MINUTE);
      await world.elapse(MINUTE);
      await ledger.sight(SCOPE, [version('a', { size: 11 })], MINUTE);
      const stable = await ledger.sight(SCOPE, [one, other], MINUTE);
      expect(stable).toEqual(new Set([deliveryId(SCOPE, other)]));
    });

    test('a version that has a delivery already is not watched again', async () => {
      await ledger.discover(SCOPE, [{ ...one, key: 'a' }]);
      expect(await ledger.sight(SCOPE, [one], MINUTE)).toEqual(new Set([id]));
    });

    test('each pipeline and sink watches for itself', async () => {
      await ledger.sight(SCOPE, [one], MINUTE);
      await world.elapse(MINUTE);
      const elsewhere = { ...SCOPE, sink: 'elsewhere' };
      expect(await ledger.sight(elsewhere, [one], MINUTE)).toEqual(new Set());
    });
  });

  describe('single-writer places', () => {
    test('one process at a time has the lock of a place', async () => {
      const other = await world.open('two');
      const lock = await ledger.lockPlace('ftp://x');
      expect(lock).toBeDefined();
      expect(await other.lockPlace('ftp://x')).toBeUndefined();
      await using elsewhere = await other.lockPlace('ftp://y');
      expect(elsewhere).toBeDefined();
      await lock![Symbol.asyncDispose]();
      await using now = await other.lockPlace('ftp://x');
      expect(now).toBeDefined();
    });

    test('the lock of a process that died is free', async () => {
      const other = await world.open('two');
      await other.lockPlace('ftp://x');
      await world.kill('two');
      await using lock = await ledger.lockPlace('ftp://x');
      expect(lock).toBeDefined();
    });
  });
}
