import type { Clock } from '@octo/plugin-api';
import type {
  Beat,
  Call,
  DueAnswer,
  DueTimes,
  Held,
  RunEnd,
  RunNotes,
  RunQueue,
  ScheduleBegin,
  ScheduleMark,
  TakenRun,
} from '../../src/jobs/run-queue.ts';
import { LEASE_MS, MOST_DEATHS } from '../../src/jobs/run-queue.ts';
import { keyReused, repeated, requestHash } from '../../src/jobs/run-request.ts';
import { addTotals } from '../../src/jobs/run-totals.ts';
import type {
  RunFile,
  RunFilter,
  RunNews,
  RunPage,
  RunRecord,
  RunRequest,
} from '../../src/jobs/runs.ts';
import { traceIdOf } from '../../src/observe/trace-context.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Entry {
  record: Mutable<TakenRun>;
  readonly key: string | undefined;
  readonly hash: Buffer;
  leaseUntil: number;
  readonly files: Map<string, RunFile>;
  readonly news: Omit<RunNews, 'run'>[];
}

/** What the hosts of a test share: runs in memory. */
export class MemoryRunStore {
  readonly clock: Clock;
  readonly entries: Entry[] = [];
  readonly schedules = new Map<string, { text: string; anchor: number; last: number }>();
  readonly hosts = new Map<string, number>();
  readonly listeners = new Set<(call: Call) => void>();
  readonly followers = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  lapse(): void {
    for (const entry of this.entries) entry.leaseUntil = Number.NEGATIVE_INFINITY;
  }

  host(name: string): MemoryRuns {
    return new MemoryRuns(this, name);
  }
}

/** Runs in memory, as one host sees them; held to the suite of the real ones. */
export class MemoryRuns implements RunQueue {
  readonly #store: MemoryRunStore;
  readonly #host: string;

  constructor(store: MemoryRunStore, host: string) {
    this.#store = store;
    this.#host = host;
  }

  async request(request: RunRequest): Promise<RunRecord> {
    return structuredClone(plain(this.#add(request)));
  }

  async find(id: string): Promise<RunRecord | undefined> {
    const entry = this.#entry(id);
    return entry === undefined ? undefined : structuredClone(plain(entry.record));
  }

  async list({ pipeline, pipelines, states, trigger, cursor, limit }: RunFilter): Promise<RunPage> {
    const before = cursor === undefined ? this.#store.entries.length : Number(cursor);
    const found = this.#store.entries
      .map(({ record }, number) => ({ record: plain(record), number }))
      .filter(({ number }) => number < before)
      .filter(({ record }) => pipeline === undefined || record.request.pipeline === pipeline)
      .filter(({ record }) => pipelines?.some(isLike(record.request.pipeline)) ?? true)
      .filter(({ record }) => states?.includes(record.state) ?? true)
      .filter(({ record }) => trigger === undefined || record.request.trigger === trigger)
      .toReversed();
    const runs = found.slice(0, limit);
    const next = found.length > limit ? { next: String(runs.at(-1)!.number) } : {};
    return { runs: runs.map(({ record }) => structuredClone(record)), ...next };
  }

  async files(id: string): Promise<readonly RunFile[]> {
    return [...(this.#entry(id)?.files.values() ?? [])];
  }

  async depth() {
    const depth = new Map<string, { queued: number; running: number }>();
    for (const { record } of this.#store.entries) {
      if (record.state !== 'QUEUED' && record.state !== 'RUNNING') continue;
      const one = depth.get(record.request.pipeline) ?? { queued: 0, running: 0 };
      one[record.state === 'QUEUED' ? 'queued' : 'running']++;
      depth.set(record.request.pipeline, one);
    }
    return depth;
  }

  async cancel(id: string, by: string): Promise<RunRecord | undefined> {
    const entry = this.#entry(id);
    if (entry === undefined) return undefined;
    const { record } = entry;
    if (record.state === 'QUEUED') this.#move(entry, { state: 'CANCELLED', cancelledBy: by });
    else if (record.state === 'RUNNING') this.#move(entry, { cancelledBy: by });
    this.#call({ cancel: id });
    return structuredClone(plain(entry.record));
  }

  async retry(id: string, by: string): Promise<RunRecord | undefined> {
    const run = await this.find(id);
    return run && (await this.request(repeated(run.request, by)));
  }

  async *follow(id: string, lastSeen: number | undefined, signal: AbortSignal) {
    const entry = this.#entry(id);
    if (entry === undefined) return;
    let seen = lastSeen ?? entry.news.length;
    while (!signal.aborted) {
      for (const news of entry.news.slice(seen)) {
        seen = news.sequence;
        yield { ...news, run: structuredClone(plain(entry.record)) };
      }
      if (entry.record.endedAt !== undefined && seen >= entry.news.length) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#store.followers.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (seen >= entry.news.length && !signal.aborted) await promise;
      this.#store.followers.delete(resolve);
    }
  }

  async arrive(): Promise<void> {
    this.#store.hosts.set(this.#host, this.#store.clock.now());
    for (const entry of this.#running(({ record }) => record.host === this.#host))
      this.#settle(entry, { state: 'QUEUED', afterMs: 0, died: true, timings: {} });
  }

  async beat(held: readonly Held[]): Promise<Beat> {
    const { clock, hosts, entries } = this.#store;
    hosts.set(this.#host, clock.now());
    const kept = held.flatMap((one) => this.#held(one) ?? []);
    for (const entry of kept) entry.leaseUntil = clock.now() + LEASE_MS;
    for (const entry of this.#running(({ leaseUntil }) => leaseUntil < clock.now()))
      this.#settle(entry, { state: 'QUEUED', afterMs: 0, died: true, timings: {} });
    const ids = new Set(kept.map(({ record }) => record.id));
    return {
      lost: new Set(held.map(({ id }) => id).filter((id) => !ids.has(id))),
      cancelled: new Map(
        kept.flatMap(({ record: { id, cancelledBy } }) =>
          cancelledBy === undefined ? [] : [[id, cancelledBy] as const],
        ),
      ),
      waiting: [
        ...new Set(entries.filter((one) => this.#mayBegin(one)).map(pipelineOf)),
      ].toSorted(),
    };
  }

  async take(pipeline: string, most: number): Promise<TakenRun | undefined> {
    const own = this.#store.entries.filter((one) => pipelineOf(one) === pipeline);
    if (own.filter(({ record }) => record.state === 'RUNNING').length >= most) return undefined;
    const [next] = own
      .filter((one) => this.#mayBegin(one))
      .toSorted((a, b) => priorityOf(b) - priorityOf(a));
    if (next === undefined) return undefined;
    const { clock } = this.#store;
    next.leaseUntil = clock.now() + LEASE_MS;
    const { notBefore: _, ...rest } = next.record;
    next.record = { ...rest, startedAt: rest.startedAt ?? clock.now() };
    this.#move(next, { state: 'RUNNING', attempt: rest.attempt + 1, host: this.#host });
    return structuredClone(next.record);
  }

  async note(notes: ReadonlyMap<Held, RunNotes>): Promise<void> {
    for (const [held, { progress, news, files }] of notes) {
      const entry = this.#held(held);
      if (entry === undefined) continue;
      if (progress !== undefined) entry.record.progress = progress;
      for (const one of files) entry.files.set(one.path, one);
      for (const one of news) entry.news.push({ ...one, sequence: entry.news.length + 1 });
    }
    this.#tell();
  }

  async end(held: Held, end: RunEnd): Promise<RunRecord | undefined> {
    const entry = this.#held(held);
    if (entry === undefined) return undefined;
    this.#settle(entry, end);
    return structuredClone(plain(entry.record));
  }

  async mark(begin: ScheduleBegin): Promise<ScheduleMark> {
    const { schedules, hosts, clock } = this.#store;
    const known = schedules.get(begin.pipeline);
    const others = [...hosts].some(
      ([name, seen]) => name !== this.#host && seen > clock.now() - LEASE_MS,
    );
    const anew = begin.restart && begin.atOnce && !others;
    if (known !== undefined && known.text === begin.text && !anew) return mark(known);
    const last = begin.atOnce ? begin.now - 1 : begin.now;
    const fresh = { text: begin.text, anchor: begin.now, last };
    schedules.set(begin.pipeline, fresh);
    return mark(fresh);
  }

  async due({ pipeline, text, times, choose }: DueTimes): Promise<DueAnswer> {
    const schedule = this.#store.schedules.get(pipeline);
    if (schedule?.text !== text) return 'known';
    const open = times.filter((at) => at > schedule.last);
    if (open.length === 0) return 'known';
    schedule.last = times.at(-1)!;
    const chosen = choose(open);
    if (chosen.length === 0) return 'none';
    const busy = this.#store.entries.some(
      ({ record: { state, request } }) =>
        request.pipeline === pipeline &&
        ['QUEUED', 'RUNNING'].includes(state) &&
        ['schedule', 'catch-up'].includes(request.trigger),
    );
    if (busy) return 'skipped';
    for (const { trigger } of chosen) this.#add({ pipeline, trigger, by: 'host' });
    return 'requested';
  }

  async forget(olderThanMs: number): Promise<number> {
    const { entries, clock } = this.#store;
    const kept = entries.filter(
      ({ record: { endedAt } }) => endedAt === undefined || endedAt >= clock.now() - olderThanMs,
    );
    const forgotten = entries.length - kept.length;
    entries.splice(0, entries.length, ...kept);
    return forgotten;
  }

  onCall(listener: (call: Call) => void): Disposable {
    this.#store.listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#store.listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#store.hosts.delete(this.#host);
  }

  #add(request: RunRequest): RunRecord {
    const { key, ...rest } = request;
    const { entries, clock } = this.#store;
    const hash = requestHash(request);
    const known = entries.find(
      (one) => key !== undefined && one.key === key && one.record.request.by === request.by,
    );
    if (known !== undefined && !known.hash.equals(hash)) throw keyReused(key!);
    if (known !== undefined) return known.record;
    const id = crypto.randomUUID();
    const record: TakenRun = {
      id,
      trace: traceIdOf(id, request.traceParent),
      request: { priority: 0, ...rest },
      state: 'QUEUED',
      attempt: 0,
      requestedAt: clock.now(),
      failures: 0,
      deaths: 0,
    };
    const entry = { record, key, hash, leaseUntil: 0, files: new Map(), news: [] };
    entries.push(entry);
    this.#move(entry, {});
    this.#call({ work: request.pipeline });
    return record;
  }

  #settle(entry: Entry, end: RunEnd): void {
    const { progress: _, notBefore: __, ...before } = entry.record;
    const died = end.state === 'QUEUED' && end.died;
    const wasPutOff = end.state === 'QUEUED' && end.putOff === true;
    const state = stateAfter(entry.record, end);
    const error = 'error' in end ? end.error : undefined;
    const { clock } = this.#store;
    entry.record = {
      ...before,
      deaths: before.deaths + (died ? 1 : 0),
      failures: before.failures + (error !== undefined && !died && !wasPutOff ? 1 : 0),
      timings: end.timings,
      ...(end.steps !== undefined && { steps: end.steps }),
      ...('totals' in end &&
        end.totals !== undefined && { totals: addTotals(before.totals, end.totals) }),
      ...(end.state === 'CANCELLED' && { cancelledBy: end.by }),
      ...(error !== undefined && { error }),
    };
    if (state === 'QUARANTINED')
      entry.record.error = { code: 'OCTO_RUN_POISON', message: `died: ${error?.message ?? ''}` };
    if (state === 'QUEUED' && end.state === 'QUEUED')
      entry.record.notBefore = clock.now() + end.afterMs;
    this.#move(entry, { state });
    this.#call({ work: pipelineOf(entry) });
  }

  #move(entry: Entry, change: Partial<TakenRun>): void {
    Object.assign(entry.record, change);
    if (!['QUEUED', 'RUNNING'].includes(entry.record.state))
      entry.record.endedAt = this.#store.clock.now();
    entry.news.push({ event: 'state', sequence: entry.news.length + 1 });
    this.#tell();
  }

  #mayBegin({ record: { state, notBefore } }: Entry): boolean {
    return state === 'QUEUED' && (notBefore ?? 0) <= this.#store.clock.now();
  }

  #running(which: (entry: Entry) => boolean): Entry[] {
    return this.#store.entries.filter((one) => one.record.state === 'RUNNING' && which(one));
  }

  #held({ id, attempt }: Held): Entry | undefined {
    return this.#running(({ record }) => record.id === id && record.attempt === attempt)[0];
  }

  #entry(id: string): Entry | undefined {
    return this.#store.entries.find(({ record }) => record.id === id);
  }

  #call(call: Call): void {
    for (const listener of this.#store.listeners) listener(call);
  }

  #tell(): void {
    for (const follower of this.#store.followers) follower();
  }
}

function stateAfter(before: TakenRun, end: RunEnd): RunRecord['state'] {
  if (end.state !== 'QUEUED') return end.state;
  if (before.cancelledBy !== undefined) return 'CANCELLED';
  return end.died && before.deaths + 1 >= MOST_DEATHS ? 'QUARANTINED' : 'QUEUED';
}

function plain(taken: RunRecord & Partial<Mutable<TakenRun>>): RunRecord {
  const record = { ...taken };
  delete record.failures;
  delete record.deaths;
  return record;
}

function mark({ anchor, last }: ScheduleMark): ScheduleMark {
  return { anchor, last };
}

function pipelineOf({ record }: Entry): string {
  return record.request.pipeline;
}

function priorityOf({ record }: Entry): number {
  return record.request.priority ?? 0;
}

/** Whether a pattern matches the id; a `*` at its end stands for any rest. */
function isLike(id: string) {
  return (pattern: string) =>
    pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}
