import {
  PluginError,
  type CommitAnswer,
  type ObjectToStage,
  type PluginErrorType,
  type Proof,
  type Sink,
  type Staged,
  type Upload,
  type VisibleObject,
} from '@octo/plugin-api';
import { MemoryPlace } from './memory-place.ts';

export type SinkVerb = 'stage' | 'write' | 'commit' | 'abort' | 'head' | 'annotate';

/** What happens to one call of a verb. */
export type SinkFault =
  /** Nothing is applied; the call throws this. */
  | { readonly kind: 'error'; readonly type: PluginErrorType; readonly code?: string }
  /** The request is applied or not; either way the answer never arrives: the call throws `network`. */
  | { readonly kind: 'answer lost'; readonly applied: boolean }
  /** The call throws `network`; the request is applied when the test calls {@link MemoryPlace.applyLate}. */
  | { readonly kind: 'late' }
  /** Somebody aborts the upload just before the call. */
  | { readonly kind: 'aborted by somebody' }
  /** A stranger puts an object at the key just before the call. */
  | { readonly kind: 'foreign object'; readonly bytes: Uint8Array }
  /** The call waits for this promise before it does anything. */
  | { readonly kind: 'paused'; readonly until: Promise<void> };

/** One call that the sink was asked for, in order. */
export interface SinkCall {
  readonly verb: SinkVerb;
  readonly key: string;
  readonly id?: string;
}

export interface MemorySinkOptions {
  /** Default: a new, empty one. */
  readonly place?: MemoryPlace;
  readonly commits?: Sink['commits'];
  readonly completeGraceMs?: number;
  readonly smallBytes?: number;
  /** Whether a late commit is applied although the upload was aborted meanwhile, as a slow store may do. */
  readonly completesAfterAbort?: boolean;
  /** What `uploads` tells as the start of an upload. Default: 0, long ago. */
  readonly now?: () => number;
}

/**
 * A sink in memory that keeps the whole contract, and breaks on request: for tests of hosts.
 *
 * @example
 * const sink = new MemorySink();
 * sink.fail('commit', 1, { kind: 'answer lost', applied: true });
 */
export class MemorySink implements Sink {
  readonly memory: MemoryPlace;
  readonly place: string;
  readonly commits: Sink['commits'];
  readonly completeGraceMs: number;
  readonly smallBytes: number;
  /** Everything that was asked, in order. */
  readonly calls: SinkCall[] = [];
  readonly #completesAfterAbort: boolean;
  readonly #now: () => number;
  readonly #counts = new Map<SinkVerb, number>();
  readonly #faults = new Map<string, SinkFault>();

  constructor(options: MemorySinkOptions = {}) {
    this.memory = options.place ?? new MemoryPlace();
    this.place = this.memory.place;
    this.commits = options.commits ?? 'conditional';
    this.completeGraceMs = options.completeGraceMs ?? 0;
    this.smallBytes = options.smallBytes ?? 0;
    this.#completesAfterAbort = options.completesAfterAbort ?? false;
    this.#now = options.now ?? (() => 0);
  }

  /** Lets the `nth` call of the verb from now on (1 = the next) meet this fault. */
  fail(verb: SinkVerb, nth: number, fault: SinkFault): void {
    this.#faults.set(`${verb} ${(this.#counts.get(verb) ?? 0) + nth}`, fault);
  }

  async stage(object: ObjectToStage, signal: AbortSignal): Promise<Staged> {
    refuseKey(object.key);
    const id = await this.#call({ verb: 'stage', key: object.key }, signal, () =>
      this.memory.begin(object, this.#now()),
    );
    return {
      id,
      write: (chunk, signal) =>
        this.#call({ verb: 'write', key: object.key, id }, signal, () =>
          this.memory.append(id, chunk),
        ),
      commit: (proof, signal) => this.#commit({ key: object.key, id }, proof, signal),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async abort({ key, id }: Upload, signal: AbortSignal): Promise<void> {
    await this.#call({ verb: 'abort', key, id }, signal, () => this.memory.abort(id));
  }

  async head(key: string, signal: AbortSignal): Promise<VisibleObject | undefined> {
    return this.#call({ verb: 'head', key }, signal, () => this.memory.head(key));
  }

  async annotate(
    key: string,
    facts: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#call({ verb: 'annotate', key }, signal, () => this.memory.annotate(key, facts));
  }

  async *uploads(signal: AbortSignal): AsyncGenerator<Upload & { readonly startedMs: number }> {
    signal.throwIfAborted();
    yield* this.memory.uploads();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #commit(upload: Upload, proof: Proof, signal: AbortSignal): Promise<CommitAnswer> {
    const before = this.#completesAfterAbort ? this.memory.upload(upload.id) : undefined;
    return this.#call({ verb: 'commit', ...upload }, signal, () =>
      this.memory.complete(upload.id, proof, this.memory.upload(upload.id) ?? before),
    );
  }

  async #call<T>(call: SinkCall, signal: AbortSignal, apply: () => T): Promise<T> {
    signal.throwIfAborted();
    const count = (this.#counts.get(call.verb) ?? 0) + 1;
    this.#counts.set(call.verb, count);
    this.calls.push(call);
    const fault = this.#faults.get(`${call.verb} ${count}`);
    await Promise.resolve();
    if (fault) await this.#meet(fault, call, apply, signal);
    return apply();
  }

  async #meet(
    fault: SinkFault,
    call: SinkCall,
    apply: () => unknown,
    signal: AbortSignal,
  ): Promise<void> {
    switch (fault.kind) {
      case 'error':
        throw new PluginError(
          fault.type,
          `the test lets ${call.verb} of '${call.key}' fail`,
          fault.code === undefined ? {} : { code: fault.code },
        );
      case 'answer lost':
        if (fault.applied) apply();
        throw lostAnswer(call);
      case 'late':
        this.memory.delay(apply);
        throw lostAnswer(call);
      case 'aborted by somebody':
        if (call.id !== undefined) this.memory.abort(call.id);
        return;
      case 'foreign object':
        this.memory.placeForeign(call.key, fault.bytes);
        return;
      case 'paused':
        await fault.until;
        signal.throwIfAborted();
    }
  }
}

function lostAnswer(call: SinkCall): PluginError {
  return new PluginError('network', `the answer to ${call.verb} of '${call.key}' was lost`);
}

function refuseKey(key: string): void {
  const refused = key.split('/').some((segment) => ['', '.', '..'].includes(segment));
  if (refused || key.includes('\0')) {
    throw new PluginError('validation', `'${key}' is no key: it has an empty, '.' or '..' segment`);
  }
}
