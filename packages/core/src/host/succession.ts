import type { Clock } from '@octo/plugin-api';
import { errorOfIssues } from '../errors/octo-error.ts';
import { heldIssue } from '../manifest/held.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Plan } from '../manifest/plan.ts';
import { removalsIssue } from '../manifest/removals.ts';
import { RunLease } from './run-lease.ts';

/** What serves one manifest: the unit of hot reload. Plain and never changed; the next one shares what it can. */
export interface Serving<U extends object> {
  readonly manifest: Manifest;
  /** What lives, is held by runs, and is closed by itself: in the order in which it was started. */
  readonly units: readonly U[];
}

/** How a kind of generation is made and unmade. */
export interface Ways<U extends object, G extends Serving<U>> {
  readonly plan: (before: Manifest, after: Manifest) => Plan;
  /** Everything is looked at, nothing is started. @throws OctoError with all that is wrong */
  readonly build: (manifest: Manifest, before: G, plan: Plan) => Promise<G>;
  /** Starts what is new beside what runs. @throws OctoError when something does not start */
  readonly stage: (fresh: readonly U[], next: G, signal: AbortSignal) => Promise<void>;
  /** Closes, last started first. Never rejects. */
  readonly dispose: (units: readonly U[]) => Promise<void>;
}

interface SuccessionOptions {
  readonly clock: Clock;
  /** See `HostOptions`. */
  readonly retireDeadlineMs?: number | undefined;
}

/** One generation serves; a changed manifest puts another in its place while runs go on with what they hold. */
export class Succession<U extends object, G extends Serving<U>> implements AsyncDisposable {
  readonly #ways: Ways<U, G>;
  readonly #options: SuccessionOptions;
  readonly #leases = new Set<RunLease>();
  readonly #retirements = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #current: G;
  #applied: Promise<unknown> = Promise.resolve();
  #retired: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;

  constructor(first: G, ways: Ways<U, G>, options: SuccessionOptions) {
    this.#current = first;
    this.#ways = ways;
    this.#options = options;
  }

  get current(): G {
    return this.#current;
  }

  /** What serves first, when there was nothing before it. */
  begin(first: G): void {
    this.#current = first;
  }

  /** Holds these for one run. @throws when the host closes */
  lease(units: readonly U[], maxTimeMs: number): RunLease {
    this.#closing.signal.throwIfAborted();
    const lease = new RunLease(units, maxTimeMs);
    this.#leases.add(lease);
    void lease.ended.then(() => this.#leases.delete(lease));
    return lease;
  }

  /** See `Host.apply`. */
  apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const applied = this.#applied.then(() => this.#apply(manifest, either));
    this.#applied = applied.catch(() => {});
    return applied;
  }

  async #apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    signal.throwIfAborted();
    const before = this.#current;
    const plan = this.#ways.plan(before.manifest, manifest);
    const running = [...before.manifest.pipelines.values()].filter(({ enabled }) => enabled);
    const missing = removalsIssue(
      running.map(({ id }) => id),
      manifest,
    );
    const wrong = missing ?? heldIssue(before.manifest, manifest);
    if (wrong !== undefined) throw errorOfIssues([wrong]);
    const next = await this.#ways.build(manifest, before, plan);
    await this.#stage(notIn(next, before), next, signal);
    this.#current = next;
    this.#retire(notIn(before, next));
    return plan;
  }

  /** If one of them does not start, all of them are closed again. */
  async #stage(fresh: readonly U[], next: G, signal: AbortSignal): Promise<void> {
    try {
      await this.#ways.stage(fresh, next, signal);
      signal.throwIfAborted();
    } catch (error) {
      await this.#ways.dispose(fresh);
      throw error;
    }
  }

  /** Each is closed when the runs that hold it have ended; one after the other, last started first. */
  #retire(gone: readonly U[]): void {
    for (const unit of gone.toReversed()) {
      const retirement = this.#released(unit).then(() => {
        const closed = this.#retired.then(() => this.#ways.dispose([unit]));
        this.#retired = closed;
        return closed;
      });
      this.#retirements.add(retirement);
      void retirement.then(() => this.#retirements.delete(retirement));
    }
  }

  async #released(unit: U): Promise<void> {
    const { clock, retireDeadlineMs } = this.#options;
    const holders = [...this.#leases].filter((lease) => lease.holds(unit));
    const released = holders.map((lease) =>
      lease.retire(retireDeadlineMs ?? lease.maxTimeMs, clock),
    );
    await Promise.all(released);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#close();
    return this.#disposal;
  }

  async #close(): Promise<void> {
    const reason = new Error('the host closes; the next run takes up what was in flight');
    this.#closing.abort(reason);
    await this.#applied;
    const leases = [...this.#leases];
    for (const lease of leases) lease.abort(reason);
    await Promise.all(leases.map((lease) => lease.retire(0, this.#options.clock)));
    await Promise.all(this.#retirements);
    await this.#ways.dispose(this.#current.units);
  }
}

/** The units of one generation that another one does not share. */
function notIn<U extends object>({ units }: Serving<U>, other: Serving<U>): U[] {
  return units.filter((one) => !other.units.includes(one));
}
