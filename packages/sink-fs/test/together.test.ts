import { ManualClock, proofOf, RecordingLogger } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import { FolderSink } from '../src/folder-sink.ts';
import { SharedWork } from '../src/shared-work.ts';
import { errno, SimulatedDisk, type Adversary } from './simulated-disk.ts';

const ROOT = '/srv/delivered';
const FILES = 6;
const quiet = new AbortController().signal;
const contentOf = (key: string): string => `the content of ${key}`;

function sinkOn(disk: SimulatedDisk): FolderSink {
  return new FolderSink({
    directory: ROOT,
    fileMode: 0o640,
    directoryMode: 0o750,
    logger: new RecordingLogger(),
    clock: new ManualClock(),
    disk,
  });
}

async function deliver(sink: FolderSink, key: string): Promise<string> {
  const bytes = Buffer.from(contentOf(key));
  const metadata = { 'octo-delivery': key };
  await using staged = await sink.stage({ key, metadata }, quiet);
  await staged.write(bytes, quiet);
  return (await staged.commit(proofOf(bytes), quiet)).outcome;
}

const keys = Array.from({ length: FILES }, (_, n) => `2026/${n % 2}/file-${n}`);

/** Delivers all at the same time; from a call on nothing happens any more. Answers what had been acknowledged by then. */
async function deliverAll(disk: SimulatedDisk, diesAt: number): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  const dead = Promise.withResolvers<void>();
  disk.hook = (when, _, count) => {
    if (count < diesAt) return undefined;
    if (when === 'after' && count === diesAt) return undefined;
    dead.resolve();
    return new Promise(() => {});
  };
  const sink = sinkOn(disk);
  const all = keys.map(async (key) => {
    if ((await deliver(sink, key)) === 'committed') acknowledged.push(key);
  });
  await Promise.race([dead.promise, Promise.all(all)]);
  return [...acknowledged];
}

describe('files that are committed at the same time', () => {
  test('are each there with their own bytes, record and metadata', async () => {
    const disk = new SimulatedDisk();
    expect(await deliverAll(disk, Infinity)).toHaveLength(FILES);
    const another = sinkOn(disk);
    for (const key of keys) {
      expect(disk.visible(ROOT)[key]).toBe(contentOf(key));
      const seen = await another.head(key, quiet);
      expect(seen).toMatchObject({ metadata: { 'octo-delivery': key } });
      expect(seen?.sha256).toEqual(proofOf(Buffer.from(contentOf(key))).sha256);
    }
  });

  test('share their syncs', async () => {
    const disk = new SimulatedDisk();
    const sink = sinkOn(disk);
    await Promise.all(keys.map((key) => deliver(sink, `${key} before`)));
    let syncs = 0;
    // A sync, or a write that goes through to the disk, takes long enough that all others come to want one, too.
    disk.hook = async (when, call) => {
      if (when !== 'before' || !/^(sync|syncFolder|write) .*(objects|2026)/.test(call)) return;
      syncs++;
      await new Promise(setImmediate);
    };
    await deliver(sink, `${keys[0]!} alone`);
    const alone = syncs;
    syncs = 0;
    await Promise.all(keys.map((key) => deliver(sink, key)));
    expect(alone).toBe(4);
    expect(syncs).toBeLessThan((alone * FILES * 2) / 3);
  });

  test.each([
    ['nothing', 'nothing'],
    ['names, no bytes', 'names, no bytes'],
    ['this and that', { seed: 7 }],
  ] as const)(
    'are there for good once they are acknowledged, wherever the power is cut: %s is kept',
    async (_, adversary: Adversary) => {
      let most = 0;
      for (let call = 1; ; call++) {
        const disk = new SimulatedDisk();
        const acknowledged = await deliverAll(disk, call);
        disk.cutPower(adversary);
        const visible = disk.visible(ROOT);
        for (const key of acknowledged) expect(visible[key]).toBe(contentOf(key));
        for (const [key, text] of Object.entries(visible)) expect(text).toBe(contentOf(key));
        const sink = sinkOn(disk);
        for (const key of acknowledged)
          expect(await sink.head(key, quiet)).toMatchObject({ metadata: { 'octo-delivery': key } });
        most = Math.max(most, call);
        if (acknowledged.length === FILES) break;
      }
      expect(most).toBeGreaterThan(50);
    },
  );

  test('a record that cannot be written is told to all that share it, and each can try again', async () => {
    const disk = new SimulatedDisk();
    const sink = sinkOn(disk);
    await deliver(sink, 'first');
    const uploads = await Promise.all(
      keys.map(async (key) => {
        const staged = await sink.stage({ key, metadata: { 'octo-delivery': key } }, quiet);
        await staged.write(Buffer.from(contentOf(key)), quiet);
        return { staged, proof: proofOf(Buffer.from(contentOf(key))) };
      }),
    );
    disk.hook = (when, call) => {
      if (when === 'before' && /^write .*objects/.test(call)) throw errno('EIO', call);
    };
    const commitAll = () =>
      Promise.allSettled(uploads.map(({ staged, proof }) => staged.commit(proof, quiet)));
    expect((await commitAll()).map(({ status }) => status)).toEqual(keys.map(() => 'rejected'));
    expect(Object.keys(disk.visible(ROOT))).toEqual(['first']);
    disk.hook = () => {};
    for (const answer of await commitAll())
      expect(answer).toMatchObject({ value: { outcome: 'committed' } });
  });

  test('one whose place is taken leaves the records of the others', async () => {
    const disk = new SimulatedDisk();
    const sink = sinkOn(disk);
    await deliver(sink, keys[0]!);
    const outcomes = await Promise.all(keys.map((key) => deliver(sink, key)));
    expect(outcomes).toEqual(keys.map((_, n) => (n === 0 ? 'exists' : 'committed')));
    for (const key of keys)
      expect(await sink.head(key, quiet)).toMatchObject({ metadata: { 'octo-delivery': key } });
  });
});

test('shared work answers with a run that began after it was asked for', async () => {
  const shared = new SharedWork<number>();
  const gates: (() => void)[] = [];
  const work = async (): Promise<number> => {
    const number = gates.length + 1;
    await new Promise<void>((resolve) => gates.push(resolve));
    return number;
  };
  const first = shared.run('a', work);
  const others = [shared.run('a', work), shared.run('a', work)];
  const elsewhere = shared.run('b', work);
  expect(gates).toHaveLength(2);
  gates.forEach((open) => open());
  expect([await first, await elsewhere]).toEqual([1, 2]);
  await Promise.resolve();
  gates[2]!();
  expect(await Promise.all(others)).toEqual([3, 3]);
  const later = shared.run('a', work);
  gates[3]!();
  expect(await later).toBe(4);
});
