import type { RunReport } from '../pipeline/run-report.ts';
import type { RunTotals } from './runs.ts';

/** What one attempt at a run comes to. */
export function totalsOf(report: RunReport): RunTotals {
  return {
    discovered: report.discovered,
    delivered: report.delivered.length,
    bytes: report.delivered.reduce((sum, { bytes }) => sum + bytes, 0),
    duplicates: report.duplicates.length,
    quarantined: report.quarantined.length,
    failed: report.failed.length,
    pending: report.pending.length,
  };
}

/** All attempts together: what is done adds up, what is left is what the last one says. */
export function addTotals(before: RunTotals | undefined, last: RunTotals): RunTotals {
  if (before === undefined) return last;
  return {
    ...last,
    delivered: before.delivered + last.delivered,
    bytes: before.bytes + last.bytes,
    duplicates: before.duplicates + last.duplicates,
    quarantined: before.quarantined + last.quarantined,
  };
}
