import type { RunRecord } from '../jobs/runs.ts';
import { breakerOf } from './breaker-of.ts';
import type { ApiParts } from './parts.ts';

const DAY_MS = 86_400_000;
/** Who asks more often is answered the same: it costs the database something. */
const FRESH_MS = 10_000;
const PAGE = 500;
/** Of a host with more runs a day, those are the newest ones. */
const MOST_PAGES = 40;

interface Answers {
  readonly count: number;
  readonly sumMs: number;
}

type Parts = Pick<ApiParts, 'host' | 'runs' | 'health' | 'clock' | 'breakers' | 'life'>;

/** How each provider did: by the runs of its pipelines, and by what it answers about its health. */
export class ProviderStats {
  readonly #parts: Parts;
  readonly #answers = new Map<string, Answers>();
  #last: { readonly untilMs: number; readonly stats: Promise<readonly object[]> } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async read(): Promise<readonly object[]> {
    const now = this.#parts.clock.monotonic();
    if (this.#last !== undefined && now < this.#last.untilMs) return await this.#last.stats;
    const stats = this.#count();
    this.#last = { untilMs: now + FRESH_MS, stats };
    stats.catch(() => (this.#last = undefined));
    return await stats;
  }

  async #count(): Promise<readonly object[]> {
    const { host, breakers } = this.#parts;
    const known = await breakers?.all();
    await this.#askHealth();
    const ended = await this.#endedToday();
    const providers = [...host.manifest.plugins.keys()].filter(
      (id) => host.instances.get(id)?.definition.kind === 'provider',
    );
    return providers.map((id) => {
      const own = ended.filter(
        ({ request }) => host.manifest.pipelines.get(request.pipeline)?.from === id,
      );
      const good = own.filter(({ state }) => state === 'SUCCEEDED').length;
      const answers = this.#answers.get(id);
      return {
        id,
        breaker: known && breakerOf(host.manifest, known, id)?.state,
        runs: own.length,
        successRate: own.length === 0 ? undefined : good / own.length,
        meanResponseMs: answers === undefined ? undefined : answers.sumMs / answers.count,
        lastError: this.#lastError(own),
      };
    });
  }

  #lastError(own: readonly RunRecord[]): object | undefined {
    const failed = own.find(({ error }) => error !== undefined);
    if (failed?.error === undefined) return undefined;
    const { code, message } = failed.error;
    const at = new Date(failed.endedAt ?? failed.requestedAt).toISOString();
    return { at, run: failed.id, code, message: this.#parts.host.redact(message) };
  }

  async #askHealth(): Promise<void> {
    const { instances } = await this.#parts.health.ask(this.#parts.life);
    for (const one of instances) {
      if (one.state !== 'healthy' && one.state !== 'degraded') continue;
      const { count = 0, sumMs = 0 } = this.#answers.get(one.id) ?? {};
      this.#answers.set(one.id, { count: count + 1, sumMs: sumMs + one.tookMs });
    }
  }

  /** Newest first. Cancelled runs say nothing about a provider. */
  async #endedToday(): Promise<readonly RunRecord[]> {
    const { runs, clock } = this.#parts;
    const since = clock.now() - DAY_MS;
    const found: RunRecord[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const states = ['SUCCEEDED', 'FAILED', 'QUARANTINED'] as const;
      const page = await runs.list({
        states,
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      found.push(...page.runs.filter(({ endedAt = 0 }) => endedAt >= since));
      cursor = page.next;
      if (cursor === undefined || (page.runs.at(-1)?.requestedAt ?? 0) < since - DAY_MS) break;
    }
    return found;
  }
}
