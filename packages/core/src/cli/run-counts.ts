import type { HostSettings } from '../manifest/host-settings.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RunEvent } from '../pipeline/run-report.ts';

/** What `start` counts for `/metrics`; without the API nobody could read it, so nothing is loaded and counted. */
export interface RunCounts {
  readonly metrics: Metrics | undefined;
  event(pipeline: string, event: RunEvent): void;
  ended(pipeline: string, state: 'succeeded' | 'failed', ms: number): void;
  reloaded(outcome: 'applied' | 'refused' | 'unchanged'): void;
}

export async function runCountsFor({ api }: HostSettings): Promise<RunCounts> {
  const nothing = () => undefined;
  if (api === undefined)
    return { metrics: undefined, event: nothing, ended: nothing, reloaded: nothing };
  const { Metrics } = await import('../observe/metrics.ts');
  const { countRun } = await import('../api/count-run.ts');
  const metrics = new Metrics();
  return {
    metrics,
    event: (pipeline, event) => countRun(metrics, pipeline, event),
    ended: (pipeline, state, ms) => {
      metrics.runEnded(pipeline, state);
      metrics.step(pipeline, 'run', ms);
    },
    reloaded: (outcome) => {
      if (outcome !== 'unchanged') metrics.reloaded(outcome);
    },
  };
}
