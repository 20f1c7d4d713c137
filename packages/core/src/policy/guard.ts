import { randomUUID } from 'node:crypto';
import { isPluginError, PluginError } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { responseTo } from '../resilience/error-response.ts';
import { LeftAlone } from '../resilience/left-alone.ts';
import { BreakerSide, forgetBreaker, type SideOptions } from './breaker-side.ts';

export type GuardOptions = Omit<SideOptions, 'by'>;

export interface GuardedRun {
  readonly manifest: Pick<Manifest, 'plugins' | 'pipelines'>;
  readonly pipeline: string;
  /** Somebody at a keyboard wants it now: it goes although its vendor is left alone, and what it finds out counts. */
  readonly byHand: boolean;
}

type Hear = (event: RunEvent) => void;
type Go = (hear: Hear, signal: AbortSignal) => Promise<RunReport>;

/**
 * Keeps runs away from vendors and sinks that cannot be reached, and learns from each run whether they can. It is a courtesy
 * to the other side and never a condition: when its own books do not answer, runs go on as if it were not there.
 */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * The run, if its provider and its sink may be asked now. Give `hear` every event of it.
   * @throws LeftAlone when it is to wait; whatever `go` throws
   */
  async run(run: GuardedRun, signal: AbortSignal, go: Go): Promise<RunReport> {
    const config = run.manifest.pipelines.get(run.pipeline);
    const by = randomUUID();
    const sideOf = (id: string | undefined): BreakerSide | undefined => {
      const rules = id === undefined ? undefined : run.manifest.plugins.get(id)?.policy?.breaker;
      return rules && new BreakerSide(id!, rules, { ...this.#options, by });
    };
    await using provider = sideOf(config?.from);
    await using sink = sideOf(config?.to);
    for (const side of [provider, sink]) await this.#admit(side, run, signal);
    const learnt = new Learnt(provider, sink);
    const late = new AbortController();
    const probing = this.#deadline(config?.from, provider, late, signal);
    try {
      const hear = (event: RunEvent): void => {
        learnt.hear(event);
        if (event.event === 'connected') probing.abort();
      };
      const report = await go(hear, AbortSignal.any([signal, late.signal]));
      await learnt.ended();
      return report;
    } catch (error) {
      if (!signal.aborted) await learnt.failed(error);
      throw error;
    } finally {
      probing.abort();
    }
  }

  /** What is known of these is forgotten: they are asked as usual. */
  async forget(instances: readonly string[]): Promise<void> {
    for (const id of instances) await forgetBreaker(id, this.#options);
  }

  async #admit(
    side: BreakerSide | undefined,
    { pipeline, byHand }: GuardedRun,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await side?.ask(signal);
    if (side === undefined || answer?.go !== 'wait' || byHand) return;
    const until = new Date(answer.until).toISOString().slice(0, 19);
    throw new LeftAlone(
      `plugin '${side.id}' is left alone until ${until}Z because it could not be reached (${answer.why}); the run waits and nothing is lost; 'octo-host run ${pipeline}' tries at once`,
      answer.until - answer.now,
    );
  }

  /** A run that tries is not to hang at the door. */
  #deadline(
    id: string | undefined,
    provider: BreakerSide | undefined,
    late: AbortController,
    signal: AbortSignal,
  ): AbortController {
    const over = new AbortController();
    if (provider?.isProbe !== true) return over;
    const { probeMs } = provider.rules;
    const reason = new PluginError(
      'network',
      `plugin '${id}' did not let the run in within ${probeMs} ms`,
      { code: 'TIMEOUT' },
    );
    void this.#options.clock.sleep(probeMs, AbortSignal.any([over.signal, signal])).then(
      () => late.abort(reason),
      () => {},
    );
    return over;
  }
}

/** What a run finds out about its two sides. */
class Learnt {
  readonly #provider: BreakerSide | undefined;
  readonly #sink: BreakerSide | undefined;
  #sinkTrouble: (RunEvent & { readonly event: 'sink-down' }) | undefined;

  constructor(provider: BreakerSide | undefined, sink: BreakerSide | undefined) {
    this.#provider = provider;
    this.#sink = sink;
  }

  hear(event: RunEvent): void {
    if (event.event === 'connected') this.#provider?.reached();
    if (event.event === 'delivered') this.#sink?.reached();
    if (event.event === 'sink-down') this.#sinkTrouble = event;
  }

  /** Of a sink that took one file and then no more the next run learns more. */
  async ended(): Promise<void> {
    const trouble = this.#sinkTrouble;
    if (trouble !== undefined && this.#sink?.wasReached === false)
      await this.#sink.failed(trouble.reason, trouble.retryAfterMs);
  }

  /** An error that ends a run is the vendor's, unless the start of a plugin is what failed. */
  async failed(error: unknown): Promise<void> {
    const [side, cause] = this.#guilty(error);
    if (side === undefined || !isPluginError(cause) || !responseTo(cause).breaker)
      return await this.ended();
    await side.failed(cause, cause.retryAfterMs);
  }

  #guilty(error: unknown): [BreakerSide | undefined, unknown] {
    if (!(error instanceof OctoError)) return [this.#provider, error];
    const sides = [this.#provider, this.#sink];
    return [sides.find((side) => side?.id === error.instance), error.cause];
  }
}
