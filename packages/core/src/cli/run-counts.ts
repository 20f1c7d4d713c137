import type { RunRecord } from '../jobs/runs.ts';
import type { HostSettings } from '../manifest/host-settings.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RunEvent } from '../pipeline/run-report.ts';

/** What `start` counts for `/metrics`; without the API nobody could read it, so nothing is loaded and counted. */
export interface RunCounts {
  readonly metrics: Metrics | undefined;
  event(pipeline: string, event: RunEvent): void;
  /** A run has ended for good. */
  ended(run: RunRecord): void;
  reloaded(outcome: 'applied' | 'refused' | 'unchanged'): void;
}

const STATES = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  QUARANTINED: 'quarantined',
} as const;

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
    ended: ({ request: { pipeline }, state, timings }) => {
      if (state === 'QUEUED' || state === 'RUNNING') return;
      metrics.runEnded(pipeline, STATES[state]);
      if (timings?.['total'] !== undefined) metrics.step(pipeline, 'run', timings['total']);
    },
    reloaded: (outcome) => {
      if (outcome !== 'unchanged') metrics.reloaded(outcome);
    },
  };
}
