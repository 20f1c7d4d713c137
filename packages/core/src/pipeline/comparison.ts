import { isPluginError, type Clock, type Sink, type VisibleObject } from '@octo/plugin-api';
import type { DeliveredFiles } from '../ledger/delivered-files.ts';
import type { Delivery, Scope } from '../ledger/delivery.ts';
import { withDeadline } from '../resilience/deadline.ts';
import { retry } from '../resilience/retry.ts';
import { type Difference, differenceAt, type DifferenceKind, wrongRow } from './difference.ts';

/** Sinks are asked for so many objects at a time. */
const LOOKS_AT_ONCE = 16;

/** A sink that can be asked what lies at a key. */
export interface AskedSink extends Pick<Sink, 'head'> {
  readonly id: string;
  readonly policy: { readonly attempts: number; readonly timeoutMs: number };
}

export interface ComparisonOptions {
  readonly files: Pick<DeliveredFiles, 'now'>;
  /** The sink that leads to a delivery's place, if there is one. */
  readonly sinkOf: (scope: Scope) => AskedSink | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onDifference: (delivery: Delivery, difference: Difference) => void;
}

/** Files whose sink was not asked, or did not answer. */
export interface Unseen {
  readonly sink: Scope['sink'];
  readonly pipeline: Scope['pipeline'];
  readonly files: number;
}

type Seen = 'agrees' | 'unseen' | 'moved' | Difference;

/**
 * Holds what the ledger says was delivered against what lies at the sinks. It only looks: nothing is delivered, and no row
 * and no object is changed. What a sink has beside that it cannot tell: it lists no objects.
 */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #failures = new Map<string, unknown>();
  readonly #unseen = new Map<string, Unseen>();
  readonly #differing = new Map<DifferenceKind, number>();
  #agreeing = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** Files whose object is as the ledger has it. */
  get agreeing(): number {
    return this.#agreeing;
  }

  /** How many differ, and in which way. */
  get differing(): ReadonlyMap<DifferenceKind, number> {
    return this.#differing;
  }

  /** Why sinks stopped answering, by their id. */
  get failures(): ReadonlyMap<string, unknown> {
    return this.#failures;
  }

  /** By place and pipeline. */
  get unseen(): readonly Unseen[] {
    return [...this.#unseen.values()];
  }

  /** Compares some deliveries, and tells each difference in their order. @throws the signal's reason, errors of the ledger */
  async add(deliveries: readonly Delivery[], signal: AbortSignal): Promise<void> {
    const seen: Seen[] = [];
    const waiting = deliveries.entries();
    const lookNext = async (): Promise<void> => {
      for (const [index, delivery] of waiting) seen[index] = await this.#compare(delivery, signal);
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, lookNext));
    for (const [index, delivery] of deliveries.entries()) this.#count(delivery, seen[index]!);
  }

  #count(delivery: Delivery, seen: Seen): void {
    if (seen === 'moved' || seen === 'unseen') return;
    if (seen === 'agrees') this.#agreeing += 1;
    else {
      this.#differing.set(seen.kind, (this.#differing.get(seen.kind) ?? 0) + 1);
      this.#options.onDifference(delivery, seen);
    }
  }

  async #compare(delivery: Delivery, signal: AbortSignal): Promise<Seen> {
    const seen = await this.#see(delivery, signal);
    if (typeof seen === 'string') return seen;
    // A run may have put a newer version into its place since the row was read.
    const now = await this.#options.files.now(delivery.id);
    if (now !== undefined && isSame(now, delivery)) return seen;
    return now === undefined ? 'moved' : await this.#see(now, signal);
  }

  async #see(delivery: Delivery, signal: AbortSignal): Promise<Seen> {
    const wrong = wrongRow(delivery);
    if (wrong !== undefined) return wrong;
    const sink = this.#options.sinkOf(delivery);
    if (sink === undefined || this.#failures.has(sink.id)) return this.#notSeen(delivery);
    try {
      const object = await this.#look(sink, delivery.objectKey!, signal);
      return differenceAt(delivery, object) ?? 'agrees';
    } catch (error) {
      signal.throwIfAborted();
      if (isPluginError(error) && error.type === 'validation')
        return { kind: 'key', reason: error.message };
      // Who does not answer for one file is not asked for thousands more.
      this.#failures.set(sink.id, error);
      return this.#notSeen(delivery);
    }
  }

  async #look(
    { id, policy, head }: AskedSink,
    key: string,
    signal: AbortSignal,
  ): Promise<VisibleObject | undefined> {
    const { clock, random } = this.#options;
    const what = `sink '${id}'`;
    return await retry(
      () => withDeadline(what, policy.timeoutMs, clock, signal, (inner) => head(key, inner)),
      { attempts: policy.attempts, clock, random, signal },
    );
  }

  #notSeen({ sink, pipeline }: Delivery): 'unseen' {
    const name = JSON.stringify([sink, pipeline]);
    const files = (this.#unseen.get(name)?.files ?? 0) + 1;
    this.#unseen.set(name, { sink, pipeline, files });
    return 'unseen';
  }
}

function isSame(now: Delivery, then: Delivery): boolean {
  return now.attempt === then.attempt && now.objectKey === then.objectKey && now.etag === then.etag;
}
