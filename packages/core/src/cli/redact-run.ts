import type { RunEvent, RunReport } from '../pipeline/run-report.ts';

type Redact = (text: string) => string;

/**
 * The report with secrets taken out of the texts that plugins wrote. Paths and keys stay as they are: programs need
 * them exact.
 */
export function redactReport(report: RunReport, redact: Redact): RunReport {
  return {
    ...report,
    quarantined: report.quarantined.map((file) => ({ ...file, reason: redact(file.reason) })),
    failed: report.failed.map((file) => ({ ...file, error: redact(file.error) })),
    pending: report.pending.map((file) => ({ ...file, reason: redact(file.reason) })),
    warnings: report.warnings.map((file) => ({ ...file, message: redact(file.message) })),
  };
}

/** The same for an event. */
export function redactEvent(event: RunEvent, redact: Redact): RunEvent {
  if ('reason' in event) return { ...event, reason: redact(event.reason) };
  if ('error' in event) return { ...event, error: redact(event.error) };
  if ('message' in event) return { ...event, message: redact(event.message) };
  return event;
}
