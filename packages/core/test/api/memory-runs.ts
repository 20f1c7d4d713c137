import { randomUUID } from 'node:crypto';
import type { Clock } from '@octo/plugin-api';
import { OctoError } from '../../src/errors/octo-error.ts';
import { repeated } from '../../src/jobs/run-request.ts';
import type {
  RunFile,
  RunFilter,
  RunNews,
  RunPage,
  RunRecord,
  RunRequest,
  Runs,
  RunState,
} from '../../src/jobs/runs.ts';
import { traceIdOf } from '../../src/observe/trace-context.ts';

interface Kept {
  record: RunRecord;
  readonly news: RunNews[];
  readonly files: RunFile[];
}

const ENDED: readonly RunState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'QUARANTINED'];

/** Runs in memory, as their contract has them; nothing runs by itself, `move` is what a host would do. */
export class MemoryRuns implements Runs {
  readonly #clock: Clock;
  readonly #kept: Kept[] = [];
  readonly #keys = new Map<string, { readonly id: string; readonly text: string }>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async request({ key, ...request }: RunRequest): Promise<RunRecord> {
    const { traceParent: _, ...asked } = request;
    const text = JSON.stringify(Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const before = key === undefined ? undefined : this.#keys.get(key);
    if (before !== undefined) {
      if (before.text !== text)
        throw new OctoError(
          'OCTO_RUN_KEY_REUSED',
          'this key came with another request; use a new key for a new request',
        );
      return this.#of(before.id)!.record;
    }
    const id = randomUUID();
    if (key !== undefined) this.#keys.set(key, { id, text });
    const requestedAt = this.#clock.now();
    const trace = traceIdOf(id, request.traceParent);
    const record: RunRecord = { id, trace, request, state: 'QUEUED', attempt: 0, requestedAt };
    this.#kept.push({ record, news: [], files: [] });
    this.move(id, {});
    return record;
  }

  async find(id: string): Promise<RunRecord | undefined> {
    return this.#of(id)?.record;
  }

  async list({ pipeline, states, trigger, cursor, limit }: RunFilter): Promise<RunPage> {
    const newest = this.#kept.map(({ record }, at) => ({ record, at })).toReversed();
    const found = newest.filter(
      ({ record, at }) =>
        (cursor === undefined || at < Number(cursor)) &&
        (pipeline === undefined || record.request.pipeline === pipeline) &&
        (states?.includes(record.state) ?? true) &&
        (trigger === undefined || record.request.trigger === trigger),
    );
    const shown = found.slice(0, limit);
    const runs = shown.map(({ record }) => record);
    return found.length > limit ? { runs, next: String(shown.at(-1)!.at) } : { runs };
  }

  async files(id: string): Promise<readonly RunFile[]> {
    return this.#of(id)?.files ?? [];
  }

  async cancel(id: string, by: string): Promise<RunRecord | undefined> {
    const kept = this.#of(id);
    if (kept === undefined) return undefined;
    if (ENDED.includes(kept.record.state)) return kept.record;
    return this.move(id, { state: 'CANCELLED', cancelledBy: by, endedAt: this.#clock.now() });
  }

  async retry(id: string, by: string): Promise<RunRecord | undefined> {
    const kept = this.#of(id);
    if (kept === undefined) return undefined;
    return await this.request(repeated(kept.record.request, by));
  }

  async *follow(
    id: string,
    lastSeen: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<RunNews> {
    const kept = this.#of(id);
    if (kept === undefined) return;
    for (let next = lastSeen ?? kept.news.length; !signal.aborted;) {
      const news = kept.news[next];
      if (news !== undefined) {
        next++;
        yield news;
      } else if (ENDED.includes(kept.record.state)) return;
      else await this.#change(signal);
    }
  }

  async depth(): Promise<
    ReadonlyMap<string, { readonly queued: number; readonly running: number }>
  > {
    const depth = new Map<string, { queued: number; running: number }>();
    for (const { record } of this.#kept) {
      if (ENDED.includes(record.state)) continue;
      const own = depth.get(record.request.pipeline) ?? { queued: 0, running: 0 };
      if (record.state === 'QUEUED') own.queued++;
      if (record.state === 'RUNNING') own.running++;
      depth.set(record.request.pipeline, own);
    }
    return depth;
  }

  /** How many listen to news right now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  move(id: string, change: Partial<RunRecord>, files: readonly RunFile[] = []): RunRecord {
    const kept = this.#of(id)!;
    kept.record = { ...kept.record, ...change };
    kept.files.push(...files);
    kept.news.push({ sequence: kept.news.length + 1, run: kept.record, event: 'state' });
    for (const listener of this.#listeners) listener();
    return kept.record;
  }

  #of(id: string): Kept | undefined {
    return this.#kept.find(({ record }) => record.id === id);
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#listeners.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#listeners.delete(resolve);
  }
}
