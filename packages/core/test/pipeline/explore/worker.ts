import {
  PluginError,
  type Clock,
  type Provider,
  type Session,
  type Sink,
  type Staged,
} from '@octo/plugin-api';
import type { Ledger } from '../../../src/ledger/ledger.ts';

/** What the explorer lets happen to one call. */
export type Action =
  /** It is applied and answered. */
  | 'go'
  /** The process dies before it is applied. */
  | 'crash'
  /** It is applied, and the process dies before it hears the answer. */
  | 'crash after'
  /** Not applied; the caller hears of a broken connection. */
  | 'fail'
  /** Applied; the caller hears of a broken connection. */
  | 'lose answer'
  /** The caller hears of a broken connection; the request is applied at any later time, or never. */
  | 'late'
  /** The same, and the process dies. */
  | 'crash, late';

export interface PendingCall {
  readonly label: string;
  readonly actions: readonly Action[];
  readonly decide: (action: Action) => void;
}

/** The one sleep that the explorer decides about. Shorter ones pass at once, longer ones (deadlines, leases) never do. */
export const GRACE_MS = 20_000;
// A new one each time: what hangs on it can then be forgotten with it.
const dead = (): Promise<never> => new Promise(() => {});

/** One process: everything it asks of ledger, sink, vendor and clock waits for the explorer's decision. */
export class Worker {
  readonly name: string;
  crashed = false;
  done = false;
  #pending: PendingCall | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(name: string) {
    this.name = name;
  }

  get pending(): PendingCall | undefined {
    return this.#pending;
  }

  /** Resolves when this process waits for a decision, or is at its end. */
  async settled(): Promise<void> {
    while (this.#pending === undefined && !this.done && !this.crashed) await this.#changed.promise;
  }

  finish(): void {
    this.done = true;
    this.#tell();
  }

  sink(sink: Sink, late: (apply: () => Promise<unknown>) => Promise<void>): Sink {
    const ask = <T>(label: string, apply: () => Promise<T>, mayBeLate = false): Promise<T> =>
      this.#call(label, apply, {
        actions: [
          'go',
          'crash',
          'crash after',
          'fail',
          'lose answer',
          ...(mayBeLate ? (['late', 'crash, late'] as const) : []),
        ],
        late,
      });
    const staged = (inner: Staged): Staged => ({
      id: inner.id,
      write: (chunk, signal) => inner.write(chunk, signal),
      commit: (proof, signal) => ask('commit', () => inner.commit(proof, signal), true),
      [Symbol.asyncDispose]: async () => {},
    });
    return {
      place: sink.place,
      commits: sink.commits,
      completeGraceMs: sink.completeGraceMs,
      smallBytes: sink.smallBytes,
      stage: (object, signal) => ask('stage', async () => staged(await sink.stage(object, signal))),
      abort: (upload, signal) => ask('abort', () => sink.abort(upload, signal)),
      head: (key, signal) => ask('head', () => sink.head(key, signal)),
    };
  }

  ledger(ledger: Ledger): Ledger {
    const steps = new Set([
      'claim',
      'fenced',
      'streaming',
      'verified',
      'wait',
      'duplicate',
      'nextKey',
      'committed',
      'exit',
      'park',
      'cleaned',
      'discover',
    ]);
    return new Proxy(ledger, {
      get: (target, name: keyof Ledger & string) => {
        const method: unknown = target[name];
        if (typeof method !== 'function') return method;
        const apply = (...args: unknown[]): Promise<unknown> =>
          Reflect.apply(method, target, args) as Promise<unknown>;
        if (!steps.has(name)) return apply;
        return (...args: unknown[]) =>
          this.#call(`ledger ${name}`, () => apply(...args), {
            actions: ['go', 'crash', 'crash after'],
          });
      },
    });
  }

  provider(provider: Provider): Provider {
    const ask = <T>(label: string, apply: () => Promise<T>): Promise<T> =>
      this.#call(label, apply, { actions: ['go', 'crash'] });
    const session = (inner: Session): Session => ({
      list: (signal) => inner.list(signal),
      stat: (file, signal) => ask('stat', () => inner.stat(file, signal)),
      read: (file, options, signal) => inner.read(file, options, signal),
      done: async (file, id, signal) =>
        this.#call('done', async () => inner.done?.(file, id, signal), {
          actions: ['go', 'crash', 'crash after'],
        }),
      [Symbol.asyncDispose]: async () => {},
    });
    return { settleMs: 0, connect: async (signal) => session(await provider.connect(signal)) };
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => {
        const stopped = new Promise<never>((_resolve, reject) => {
          if (signal?.aborted === true) reject(signal.reason as Error);
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        if (ms > GRACE_MS) return stopped;
        if (ms < GRACE_MS) return Promise.resolve();
        return this.#call('sleep', async () => {}, { actions: ['go'] });
      },
    };
  }

  #call<T>(
    label: string,
    apply: () => Promise<T>,
    {
      actions,
      late,
    }: { actions: readonly Action[]; late?: (apply: () => Promise<unknown>) => Promise<void> },
  ): Promise<T> {
    if (this.crashed) return dead();
    if (this.#pending !== undefined)
      throw new Error(`${this.name}: ${label} while ${this.#pending.label} is pending`);
    const { promise, resolve } = Promise.withResolvers<Action>();
    const decide = (action: Action): void => {
      this.#pending = undefined;
      if (action.startsWith('crash')) this.crashed = true;
      resolve(action);
    };
    this.#pending = { label, actions, decide };
    this.#tell();
    return promise.then((action) => perform(action, apply, late));
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

async function perform<T>(
  action: Action,
  apply: () => Promise<T>,
  late: ((apply: () => Promise<unknown>) => Promise<void>) | undefined,
): Promise<T> {
  if (action === 'go') return await apply();
  if (action === 'crash') return await dead();
  if (action === 'fail') throw brokenConnection();
  if (action === 'late' || action === 'crash, late') {
    await late!(apply);
    if (action === 'late') throw brokenConnection();
    return await dead();
  }
  await apply();
  if (action === 'lose answer') throw brokenConnection();
  return await dead();
}

function brokenConnection(): PluginError {
  return new PluginError('network', 'the connection broke');
}
