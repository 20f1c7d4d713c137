import type { Clock, Sink } from '@octo/plugin-api';
import { ManualClock, MemoryPlace, MemorySink, RecordingLogger } from '@octo/plugin-testing';
import type { Delivery } from '../../../src/ledger/delivery.ts';
import { deliveryId } from '../../../src/ledger/delivery-id.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { MemoryLedger, MemoryStore } from '../../ledger/memory-ledger.ts';
import type { PipelineConfig } from '../../../src/manifest/manifest.ts';
import { runPipeline } from '../../../src/pipeline/run-pipeline.ts';
import { MemoryVendor } from '../memory-vendor.ts';
import { defaultConfig } from '../pipeline-bench.ts';
import type { World } from './explore.ts';
import { over } from './over.ts';
import { GRACE_MS, Worker } from './worker.ts';

export interface Scenario {
  readonly workers: number;
  readonly config?: Partial<PipelineConfig>;
  /** Content up to this size is verified before its upload begins. */
  readonly smallBytes?: number;
  /** Whether the store may still apply a completion after the upload was aborted. */
  readonly completesAfterAbort?: boolean;
  readonly afterCommit?: 'leave' | 'move';
  /** What the vendor has in the beginning. */
  readonly files: readonly VendorFile[];
  /** What it publishes at any later moment, in this order. */
  readonly later?: readonly VendorFile[];
  /** Whether a sweeper may abort an upload at any moment. */
  readonly adversary?: boolean;
  /** Whether somebody else may put an object at the key at any moment. */
  readonly stranger?: boolean;
  /**
   * Whoever claims a delivery the second time is to set it aside, or first to look for it only. No reading follows that would
   * take the key, so here the store keeps its word: what is late comes within the grace.
   */
  readonly distrust?: 'sets aside' | 'looks, then sets aside';
  /** Breaks something on purpose, to see that the explorer sees it. */
  readonly plant?: {
    readonly ledger?: (ledger: Ledger) => Ledger;
    readonly sink?: (sink: Sink) => Sink;
  };
}

interface VendorFile {
  readonly path: string;
  readonly content: string;
  readonly mtimeMs: number;
}

const STRANGE_KEY = 'in/a.csv';
const STRANGE = 'not ours';
const SET_ASIDE = 'not to be read';
const policy = { timeoutMs: 1e9, attempts: 3 };

/** Some processes that run one pipeline over one vendor, ledger and sink, all in memory. */
export class ProtocolWorld implements World {
  readonly workers: Worker[] = [];
  readonly #scenario: Scenario;
  readonly #place = new MemoryPlace();
  readonly #sink: MemorySink;
  readonly #vendor = new MemoryVendor();
  readonly #clock = new ManualClock();
  readonly #store = new MemoryStore();
  readonly #ledger: MemoryLedger;
  readonly #first = new Map<string, string>();
  readonly #published: VendorFile[] = [];
  readonly #suspended = new Set<string>();
  #laterFiles: VendorFile[];
  #adversary: boolean;
  #stranger: boolean;

  private constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#ledger = this.#ledgerOf('oracle');
    const { smallBytes = 0, completesAfterAbort = false } = scenario;
    const completeGraceMs = completesAfterAbort ? GRACE_MS : 0;
    this.#sink = new MemorySink({
      place: this.#place,
      smallBytes,
      completesAfterAbort,
      completeGraceMs,
    });
    this.#vendor.chunkBytes = 1000;
    this.#vendor.afterCommit = scenario.afterCommit ?? 'leave';
    this.#laterFiles = [...(scenario.later ?? [])];
    this.#adversary = scenario.adversary ?? false;
    this.#stranger = scenario.stranger ?? false;
  }

  static async open(scenario: Scenario): Promise<ProtocolWorld> {
    const world = new ProtocolWorld(scenario);
    for (const file of scenario.files) world.#publish(file);
    for (let n = 1; n <= scenario.workers; n++) world.#start(new Worker(`w${n}`));
    return world;
  }

  events(): { label: string; happen: () => Promise<void> }[] {
    const events: { label: string; happen: () => Promise<void> }[] = [];
    if (this.#place.late > 0)
      events.push({ label: 'a late request arrives', happen: async () => this.#place.applyLate() });
    for (const { name, pending, crashed } of this.workers)
      if (
        this.workers.length > 1 &&
        pending !== undefined &&
        !crashed &&
        !this.#suspended.has(name)
      )
        events.push({
          label: `the lease of ${name} runs out`,
          happen: async () => void this.#suspended.add(name),
        });
    const [next] = this.#laterFiles;
    if (next !== undefined)
      events.push({
        label: `the vendor publishes ${next.path}`,
        happen: async () => this.#publish(this.#laterFiles.shift()!),
      });
    if (this.#stranger && this.#place.read(STRANGE_KEY) === undefined)
      events.push({ label: 'a stranger takes the key', happen: async () => this.#takeKey() });
    if (this.#adversary)
      for (const { id } of this.#place.uploads())
        events.push({ label: `a sweeper aborts ${id}`, happen: async () => this.#sweep(id) });
    return events;
  }

  /** G2, G3: what is visible is whole, never changes, and is there once for each version. */
  checkAlways(): void {
    const owners = new Set<string>();
    for (const key of this.#place.keys()) {
      const text = Buffer.from(this.#place.read(key)!).toString();
      if (text !== STRANGE && !this.#published.some(({ content }) => content === text))
        throw new Error(`G3: '${key}' shows '${text}', which is no whole file`);
      const before = this.#first.get(key);
      if (
        before !== undefined &&
        before !== text &&
        this.#scenario.config?.onReissue !== 'overwrite'
      )
        throw new Error(`G2: the bytes of '${key}' changed`);
      this.#first.set(key, text);
      if (text === STRANGE) continue;
      const owner = this.#place.head(key)!.metadata['octo-delivery']!;
      if (owners.has(owner)) throw new Error(`G2: delivery ${owner} is visible twice`);
      owners.add(owner);
    }
    for (const key of this.#first.keys())
      if (this.#place.read(key) === undefined) throw new Error(`G2: '${key}' disappeared`);
  }

  async checkFinally(): Promise<void> {
    await this.#recover();
    this.#place.applyLate();
    this.checkAlways();
    await this.#recover();
    this.checkAlways();
    const deliveries = await this.#ledger.list({ limit: 100 });
    for (const delivery of deliveries) this.#checkTruth(delivery);
    this.#checkNothingLost(deliveries);
    this.#checkContents();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.workers) worker.crashed = true;
  }

  /** The ledger as one process sees it. The lease of a dead one, or of one that ended, is over. */
  #ledgerOf(owner: string): MemoryLedger {
    const isAlive = (name: string): boolean =>
      !this.#suspended.has(name) &&
      this.workers.some((worker) => worker.name === name && !worker.crashed && !worker.done);
    return new MemoryLedger({ clock: this.#clock, store: this.#store, owner, isAlive });
  }

  /** As the gate of a worker whose predecessor died does it. */
  #wishing(ledger: Ledger): Ledger {
    const { distrust } = this.#scenario;
    if (distrust === undefined) return ledger;
    const wish = (claim: Delivery) => {
      if (claim.attempt < 2n) return claim;
      return claim.attempt === 2n && distrust === 'looks, then sets aside'
        ? { ...claim, onlyLook: 'looked for' }
        : { ...claim, setAside: SET_ASIDE };
    };
    return over(ledger, {
      claimMany: async (...asked) => (await ledger.claimMany(...asked)).map(wish),
    });
  }

  #graced(clock: Clock): Clock {
    if (this.#scenario.distrust === undefined) return clock;
    return over(clock, {
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (ms === GRACE_MS) this.#place.applyLate();
      },
    });
  }

  #publish(file: VendorFile): void {
    this.#published.push(file);
    this.#vendor.publish(file.path, file.content, file.mtimeMs);
  }

  #sweep(id: string): void {
    this.#adversary = false;
    this.#place.abort(id);
  }

  #takeKey(): void {
    this.#stranger = false;
    this.#place.placeForeign(STRANGE_KEY, Buffer.from(STRANGE));
  }

  #start(worker: Worker): void {
    this.workers.push(worker);
    const { plant = {} } = this.#scenario;
    const late = async (apply: () => Promise<unknown>): Promise<void> => {
      this.#sink.fail('commit', 1, { kind: 'late' });
      await apply().catch(() => {});
    };
    const ledger = this.#wishing(this.#ledgerOf(worker.name));
    const run = this.#run(
      worker.ledger(plant.ledger?.(ledger) ?? ledger),
      plant.sink?.(worker.sink(this.#sink, late)) ?? worker.sink(this.#sink, late),
      this.#graced(worker.clock(this.#clock)),
      worker.provider(this.#vendor),
    );
    run.catch((error: unknown) => void this.#failures.push(error)).finally(() => worker.finish());
  }

  readonly #failures: unknown[] = [];

  /** A clean process runs until nothing is left to do. */
  async #recover(): Promise<void> {
    const { plant = {} } = this.#scenario;
    for (let round = 0; round < 2; round++) {
      const ledger = this.#wishing(this.#ledgerOf(`recovery ${round}`));
      const quick = {
        now: () => this.#clock.now(),
        monotonic: () => 0,
        sleep: quickSleep,
      };
      const sink = plant.sink?.(this.#sink) ?? this.#sink;
      const clock = this.#graced(quick);
      await this.#run(plant.ledger?.(ledger) ?? ledger, sink, clock, this.#vendor);
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #run(
    ledger: Ledger,
    sink: Sink,
    clock: Parameters<typeof runPipeline>[1]['clock'],
    provider: Parameters<typeof runPipeline>[0]['provider'],
  ): Promise<void> {
    const config = { ...defaultConfig, concurrency: 1, ...this.#scenario.config };
    const pipeline = {
      config,
      provider,
      providerPolicy: policy,
      sink,
      sinkPolicy: policy,
      steps: [],
    };
    const options = {
      ledger,
      clock,
      logger: new RecordingLogger(),
      random: () => 0.5,
      spoolFolder: '/nonexistent',
    };
    await runPipeline(pipeline, options, new AbortController().signal);
  }

  /** G4: the ledger tells the truth about what is visible. */
  #checkTruth(delivery: Delivery): void {
    const keys = this.#place
      .keys()
      .filter((key) => this.#place.head(key)!.metadata['octo-delivery'] === delivery.id);
    const delivered = delivery.state === 'COMMITTED' || delivery.state === 'CLEANED';
    const name = `${delivery.path} of ${delivery.mtimeMs}`;
    if (!delivered && keys.length > 0)
      throw new Error(
        `G4: ${name} is visible at ${keys[0]}, the ledger says ${delivery.state} (${delivery.reason})`,
      );
    if (!delivered) return;
    if (keys[0] !== delivery.objectKey)
      throw new Error(
        `G4: ${name} is ${delivery.state} at ${delivery.objectKey}, but visible at ${keys[0]}`,
      );
    const proof = this.#place.head(keys[0]!)!;
    if (!delivery.verified!.plainSha256.equals(proof.sha256!))
      throw new Error(`G4: ${name} is COMMITTED with a hash that is not the object's`);
  }

  /** G1: every version that stays at the vendor is delivered, or ends with a reason that holds. */
  #checkNothingLost(deliveries: readonly Delivery[]): void {
    const scope = { pipeline: defaultConfig.id, sink: this.#sink.place };
    for (const [location, { bytes, mtimeMs }] of this.#vendor.files) {
      const path = /^archive\/(.+)\.[0-9a-f]{64}$/.exec(location)?.[1] ?? location;
      const version = { path, name: path, size: bytes.length, mtimeMs, location };
      const delivery = deliveries.find(({ id }) => id === deliveryId(scope, version));
      if (delivery === undefined) throw new Error(`G1: ${location} is unknown to the ledger`);
      this.#checkEnd(delivery, deliveries);
    }
  }

  #checkEnd(delivery: Delivery, deliveries: readonly Delivery[]): void {
    const name = `${delivery.path} of ${delivery.mtimeMs}`;
    if (delivery.state === 'COMMITTED' || delivery.state === 'CLEANED') return;
    if (delivery.state === 'SUPERSEDED' && delivery.reason?.startsWith('REPLACED_BY') === true)
      return;
    if (delivery.state === 'QUARANTINED' && delivery.reason === SET_ASIDE) return;
    if (delivery.state === 'DUPLICATE_OF') {
      const holder = deliveries.find(({ id }) => id === delivery.duplicateOf);
      if (holder?.state === 'COMMITTED' || holder?.state === 'CLEANED') return;
      throw new Error(`G1: ${name} is a duplicate of what is ${holder?.state}`);
    }
    throw new Error(
      `G1: ${name} stays at the vendor and ends as ${delivery.state} (${delivery.reason})`,
    );
  }

  /** G2: the same content is there once where the pipeline wants it once. */
  #checkContents(): void {
    const { duplicates = defaultConfig.duplicates } = this.#scenario.config ?? {};
    if (duplicates !== 'pipeline') return;
    const texts = this.#place.keys().map((key) => Buffer.from(this.#place.read(key)!).toString());
    if (new Set(texts).size < texts.length)
      throw new Error('G2: the same content was delivered twice');
  }
}

function quickSleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= GRACE_MS) return Promise.resolve();
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
