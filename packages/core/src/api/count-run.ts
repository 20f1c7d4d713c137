import type { Metrics } from '../observe/metrics.ts';
import type { RunEvent } from '../pipeline/run-report.ts';

/** Counts what happens in a run. Give it every event of every run. */
export function countRun(metrics: Metrics, pipeline: string, event: RunEvent): void {
  switch (event.event) {
    case 'read':
      return metrics.read(pipeline, event.bytes);
    case 'retrying':
      return metrics.retried(pipeline);
    case 'listed':
      if (event.connectMs !== undefined) metrics.step(pipeline, 'connect', event.connectMs);
      return metrics.step(pipeline, 'list', event.listMs ?? 0);
    case 'delivered':
    case 'duplicate':
    case 'quarantined':
    case 'failed':
      for (const { step, ms } of event.times?.steps ?? []) metrics.step(pipeline, step, ms);
      return metrics.file(pipeline, event.event);
    default:
  }
}
