/** Where the time of a run went, by step and by file, and the trace that a request belongs to (W3C traceparent). */
export const timings = `
alter table octo.run add column steps jsonb;
alter table octo.run add column trace_parent text;
alter table octo.run_file add column times jsonb;
`;
