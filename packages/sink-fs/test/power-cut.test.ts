import { ManualClock, proofOf, RecordingLogger } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import type { Disk } from '../src/disk.ts';
import { FolderSink } from '../src/folder-sink.ts';
import { DeliveringHost } from './delivering-host.ts';
import { errno, Killed, SimulatedDisk, type Adversary, type Hook } from './simulated-disk.ts';

const ROOT = '/srv/delivered';
const KEY = '2026/01/31/settlement.csv';
const ATTEMPTS = 5;
const SHORT_WRITE = 40;
/** Files that are known to be small take another way to the disk. */
const SIZE_HINTS = [undefined, 1000];
const quiet = new AbortController().signal;

type Broken = (disk: SimulatedDisk) => Disk;

function sinkOn(disk: Disk): FolderSink {
  return new FolderSink({
    directory: ROOT,
    fileMode: 0o640,
    directoryMode: 0o750,
    logger: new RecordingLogger(),
    clock: new ManualClock(),
    disk,
  });
}

/** From the call on, the process is dead: this call is applied (`after`) or not (`before`), the others never happen. */
function killAt(call: number, when: 'before' | 'after'): Hook {
  let dead = false;
  return (now, _, count) => {
    if (count === call && now === when) dead = true;
    if (dead) throw new Killed('the process is dead');
  };
}

function failAt(call: number, when: 'before' | 'after', code: string): Hook {
  return (now, name, count) => {
    if (count === call && now === when) throw errno(code, name);
  };
}

/** What the ledger and a reader see; empty when both tell the truth. */
function lies(disk: SimulatedDisk, host: DeliveringHost): string[] {
  const visible = disk.visible(ROOT);
  const found = Object.keys(visible)
    .filter((key) => key !== KEY)
    .map((key) => `stray file ${key}`);
  const content = visible[KEY];
  if (content !== undefined && !host.read.includes(content)) found.push('half a file is visible');
  if (host.delivered !== undefined && content !== host.delivered)
    found.push('what was delivered is not there');
  return found;
}

/** One delivery that meets the fault; afterwards a new process, perhaps after a power cut, goes on until it is done. */
async function deliverThrough(
  hook: Hook,
  cut: Adversary | undefined,
  broken: Broken = (disk) => disk,
  sizeHint?: number,
): Promise<{ readonly lies: string[]; readonly calls: number }> {
  const disk = new SimulatedDisk();
  disk.writeBytes = SHORT_WRITE;
  const host = new DeliveringHost(KEY, 'the', sizeHint);
  disk.hook = hook;
  const found: string[] = [];
  let sink = sinkOn(broken(disk));
  for (let attempt = 0; attempt < ATTEMPTS && host.delivered === undefined; attempt += 1) {
    const failure = await host.attempt(sink).catch((error: unknown) => error);
    found.push(...lies(disk, host));
    if (failure === undefined) continue;
    const { message } = failure as Error;
    if (/synced again|stranger|nobody wrote/.test(message)) found.push(message);
    if (cut) disk.cutPower(cut);
    else disk.restart();
    found.push(...lies(disk, host));
    sink = sinkOn(broken(disk));
  }
  if (host.delivered === undefined) found.push('never delivered');
  const { calls } = disk;
  disk.cutPower('nothing');
  found.push(...lies(disk, host));
  return { lies: found, calls };
}

/** Replaces an object that is there for good, until it is done; the first attempt meets the fault. */
async function replaceThrough(
  hook: Hook,
  cut: Adversary | undefined,
): Promise<{ readonly lies: string[]; readonly calls: number }> {
  const disk = new SimulatedDisk();
  await stageOn(sinkOn(disk), 'old', undefined).then(({ commit }) => commit());
  const start = disk.calls;
  disk.hook = (when, call, count) => hook(when, call, count - start);
  const found: string[] = [];
  let uploadId: string | undefined;
  const attempt = async (sink: FolderSink): Promise<boolean> => {
    if (uploadId !== undefined) await sink.abort({ key: KEY, id: uploadId }, quiet);
    const head = await sink.head(KEY, quiet);
    if (head?.metadata['delivery'] === 'new') return true;
    const { id, commit } = await stageOn(sink, 'new', head?.etag);
    uploadId = id;
    return (await commit()).outcome === 'committed';
  };
  let done = false;
  let calls = 0;
  for (let i = 0; i < ATTEMPTS && !done; i += 1) {
    let failed = false;
    done = await attempt(sinkOn(disk)).catch(() => {
      failed = true;
      return false;
    });
    calls ||= disk.calls - start;
    if (failed && cut) disk.cutPower(cut);
    else disk.restart();
    const content = disk.visible(ROOT)[KEY];
    if (content !== 'new' && (done || content !== 'old')) found.push(`'${content}' is there`);
  }
  disk.cutPower('nothing');
  if (!done) found.push('never replaced');
  if (disk.visible(ROOT)[KEY] !== 'new') found.push('what was replaced is not there');
  return { lies: found, calls };
}

async function stageOn(sink: FolderSink, content: string, etag: string | undefined) {
  const staged = await sink.stage({ key: KEY, metadata: { delivery: content } }, quiet);
  const bytes = Buffer.from(content);
  const proof = proofOf(bytes, etag === undefined ? undefined : { etag });
  const commit = async () => {
    await staged.write(bytes, quiet);
    return staged.commit(proof, quiet);
  };
  return { id: staged.id, commit };
}

/** One process falls asleep in the middle; another one fences it, delivers, and only then the first goes on. */
async function wakeUpLate(call: number, when: 'before' | 'after'): Promise<string[]> {
  const disk = new SimulatedDisk();
  disk.writeBytes = SHORT_WRITE;
  const asleep = Promise.withResolvers<void>();
  const wake = Promise.withResolvers<void>();
  disk.hook = async (now, _, count) => {
    if (count !== call || now !== when) return;
    asleep.resolve();
    await wake.promise;
  };
  const sleeper = new DeliveringHost(KEY);
  const sleeping = sleeper.attempt(sinkOn(disk)).catch(() => {});
  await Promise.race([asleep.promise, sleeping]);
  disk.hook = () => {};
  const heir = new DeliveringHost(KEY, 'another');
  heir.read.push(...sleeper.read);
  heir.uploadId = sleeper.uploadId;
  const sink = sinkOn(disk);
  for (let i = 0; i < ATTEMPTS && heir.delivered === undefined; i += 1) {
    await heir.attempt(sink).catch(() => {});
  }
  const before = lies(disk, heir);
  wake.resolve();
  await sleeping;
  heir.read.push(...sleeper.read);
  const found = [...before, ...lies(disk, heir)];
  if (heir.delivered === undefined) found.push('never delivered');
  if (sleeper.delivered !== undefined && sleeper.delivered !== heir.delivered) {
    found.push('two processes say that they delivered different bytes');
  }
  return found;
}

/** All faults of one kind, at every call that a delivery makes. */
async function everywhere(
  fault: (call: number) => Hook,
  cut: Adversary | undefined,
  broken?: Broken,
): Promise<string[]> {
  const found: string[] = [];
  for (const sizeHint of SIZE_HINTS) {
    const { calls } = await deliverThrough(() => {}, undefined, broken, sizeHint);
    for (let call = 1; call <= calls; call += 1) {
      const outcome = await deliverThrough(fault(call), cut, broken, sizeHint);
      found.push(...outcome.lies.map((lie) => `call ${call}: ${lie}`));
    }
  }
  return found;
}

const CUTS: readonly (readonly [string, Adversary | undefined])[] = [
  ['the process is killed', undefined],
  ['the power is cut and nothing unsynced survives', 'nothing'],
  ['the power is cut and names survive, but no bytes', 'names, no bytes'],
  ...[1, 2, 3, 4, 5, 6].map(
    (seed) => [`the power is cut and anything may survive (seed ${seed})`, { seed }] as const,
  ),
];

describe.each(CUTS)('when %s', (_, cut) => {
  test.each(['before', 'after'] as const)(
    '%s any call, nothing is lost and nothing is half there',
    async (when) => {
      expect(await everywhere((call) => killAt(call, when), cut)).toEqual([]);
    },
  );
});

describe.each(['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE'])(
  'when a call fails with %s',
  (code) => {
    test.each(['before', 'after'] as const)(
      '%s it was applied, nobody is told a lie',
      async (when) => {
        expect(await everywhere((call) => failAt(call, when, code), undefined)).toEqual([]);
        expect(await everywhere((call) => failAt(call, when, code), 'nothing')).toEqual([]);
        expect(await everywhere((call) => failAt(call, when, code), { seed: 7 })).toEqual([]);
      },
    );
  },
);

test.each(CUTS)(
  'when %s during a replacement, the old object or the new one is there',
  async (_, cut) => {
    const found: string[] = [];
    const { calls } = await replaceThrough(() => {}, undefined);
    for (let call = 1; call <= calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const outcome = await replaceThrough(killAt(call, when), cut);
        found.push(...outcome.lies.map((lie) => `${when} call ${call}: ${lie}`));
      }
    }
    expect(found).toEqual([]);
  },
);

test.each(['before', 'after'] as const)(
  'a process that sleeps %s any call and wakes up when another one has delivered changes nothing',
  async (when) => {
    const found: string[] = [];
    const { calls } = await deliverThrough(() => {}, undefined);
    for (let call = 1; call <= calls; call += 1) {
      const outcome = await wakeUpLate(call, when);
      found.push(...outcome.map((lie) => `call ${call}: ${lie}`));
    }
    expect(found).toEqual([]);
  },
);

describe('the model sees', () => {
  const BROKEN: readonly (readonly [string, (disk: SimulatedDisk) => Partial<Disk>])[] = [
    ['folders that are not synced', () => ({ syncFolder: async () => {} })],
    [
      'new folders whose parents are not synced',
      (disk) => ({
        syncFolder: async (path) => {
          if (!path.endsWith('/01')) await disk.syncFolder(path);
        },
      }),
    ],
    [
      'files that are not synced',
      (disk) => ({
        create: async (path) => ({ ...(await disk.create(path)), sync: async () => {} }),
      }),
    ],
    [
      'small files whose writes do not go through',
      (disk) => ({
        create: async (path, through = false) => ({
          ...(await disk.create(path)),
          writesThrough: through,
        }),
      }),
    ],
    [
      'records that are not synced',
      (disk) => ({
        syncFolder: async (path) => {
          if (!path.endsWith('/objects')) await disk.syncFolder(path);
        },
      }),
    ],
  ];

  test.each(BROKEN)('%s', async (_, change) => {
    const broken: Broken = (disk) => withChange(disk, change(disk));
    const found = [
      ...(await everywhere((call) => killAt(call, 'after'), 'nothing', broken)),
      ...(await everywhere((call) => killAt(call, 'after'), 'names, no bytes', broken)),
    ];
    expect(found.length).toBeGreaterThan(0);
  });
});

/** The methods of a class instance cannot be spread. */
function withChange(disk: SimulatedDisk, change: Partial<Disk>): Disk {
  return new Proxy(disk, {
    get(target, name) {
      const changed = change[name as keyof Disk];
      if (changed) return changed;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
