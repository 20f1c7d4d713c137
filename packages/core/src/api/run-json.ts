import type { RunFile, RunRecord } from '../jobs/runs.ts';

type Redact = (text: string) => string;

/** A run as the API shows it: one flat object, times in ISO 8601. */
export function runJson(run: RunRecord, redact: Redact): Record<string, unknown> {
  const { request, requestedAt, startedAt, endedAt, notBefore, error, ...rest } = run;
  const { since, traceParent: _, ...asked } = request;
  return {
    ...rest,
    ...asked,
    ...times({ since, requestedAt, startedAt, endedAt, notBefore }),
    ...(error === undefined ? {} : { error: { ...error, message: redact(error.message) } }),
  };
}

export function runFileJson(file: RunFile, redact: Redact): Record<string, unknown> {
  return file.reason === undefined ? { ...file } : { ...file, reason: redact(file.reason) };
}

function times(given: Readonly<Record<string, number | undefined>>): Record<string, string> {
  const there = Object.entries(given).flatMap(([name, ms]) =>
    ms === undefined ? [] : [[name, new Date(ms).toISOString()] as const],
  );
  return Object.fromEntries(there);
}
