import type { RunReport } from '../pipeline/run-report.ts';

/**
 * The JSON line that `octo-host run --json` ends with. Programs read it: names are only ever added, at the end.
 * `error` is there when the run could not be done at all.
 */
export function runResultLine(report: RunReport, error?: string): string {
  const { pipeline, discovered, delivered, duplicates, quarantined, failed, pending, warnings } =
    report;
  return JSON.stringify({
    pipeline,
    discovered,
    delivered: delivered.map(({ path, key, bytes, sha256 }) => ({ path, key, bytes, sha256 })),
    duplicates,
    quarantined,
    failed: failed.map(({ path, error, unreachable }) => ({ path, error, unreachable })),
    pending,
    warnings,
    ...(error === undefined ? {} : { error }),
  });
}

/** What a run reports that did not come to its vendor. */
export function emptyReport(pipeline: string): RunReport {
  return {
    pipeline,
    discovered: 0,
    delivered: [],
    duplicates: [],
    quarantined: [],
    failed: [],
    pending: [],
    warnings: [],
  };
}
