import type { Diagnosis, VisibleObject } from '@octo/plugin-api';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { pluginErrorType, sentError, type SentError } from './sent-error.ts';
import {
  bytes,
  count,
  fields,
  flag,
  list,
  number,
  oneOf,
  optional,
  record,
  type Shape,
  tagged,
  text,
} from './shape.ts';

/** A report travels in parts of so many files: a frame stays short. */
export const FILES_A_PART = 500;
/** Those of a pipeline, and the host's own. */
const MOST_STEPS = 64;

const some = <T>(shape: Shape<T>) => optional(list(shape, FILES_A_PART));
const pathAnd = <K extends string>(name: K) =>
  fields({ path: text, [name]: text } as { path: typeof text } & Record<K, typeof text>);

/** The lists of a report. */
type ReportLists = Omit<RunReport, 'pipeline' | 'discovered'>;
export type ReportPart = Partial<ReportLists>;

/** A part of what a run reports when it has ended. */
export const reportPart = fields({
  delivered: some(fields({ path: text, key: text, bytes: count, sha256: text })),
  duplicates: some(pathAnd('of')),
  quarantined: some(pathAnd('reason')),
  failed: some(fields({ path: text, error: text, unreachable: flag, mayPass: optional(flag) })),
  pending: some(pathAnd('reason')),
  warnings: some(pathAnd('message')),
}) as Shape<ReportPart>;

/** The rest of it. */
export const reportHead = fields({ pipeline: text, discovered: count });

/** The lists of a report, cut into parts. */
export function* partsOf(report: RunReport): Generator<ReportPart, void, void> {
  for (const name of LISTS) {
    const items: readonly unknown[] = report[name];
    for (let at = 0; at < items.length; at += FILES_A_PART)
      yield { [name]: items.slice(at, at + FILES_A_PART) };
  }
}

/** A report from its head and its parts. */
export function reportFrom(
  { pipeline, discovered }: Pick<RunReport, 'pipeline' | 'discovered'>,
  parts: readonly ReportPart[],
): RunReport {
  const all = <K extends keyof ReportLists>(name: K) =>
    parts.flatMap((part) => [...(part[name] ?? [])]) as unknown as ReportLists[K];
  return {
    pipeline,
    discovered,
    delivered: all('delivered'),
    duplicates: all('duplicates'),
    quarantined: all('quarantined'),
    failed: all('failed'),
    pending: all('pending'),
    warnings: all('warnings'),
  };
}

const LISTS = [
  'delivered',
  'duplicates',
  'quarantined',
  'failed',
  'pending',
  'warnings',
] as const satisfies readonly (keyof ReportLists)[];

const event = <E extends string>(name: E) => oneOf(name);

const times = optional(
  fields({
    ms: number,
    steps: list(
      fields({
        step: text,
        fromMs: number,
        toMs: number,
        ms: number,
        bytesIn: count,
        bytesOut: count,
      }),
      MOST_STEPS,
    ),
  }),
);
const about = { delivery: optional(text), times };

/** What a run tells while it goes on. */
export const runEvent: Shape<RunEvent> = tagged<RunEvent>('event', {
  connecting: fields({ event: event('connecting') }),
  connected: fields({ event: event('connected') }),
  listed: fields({
    event: event('listed'),
    files: count,
    bytes: count,
    toDeliver: count,
    connectMs: optional(number),
    listMs: optional(number),
  }),
  started: fields({ event: event('started'), path: text, size: count }),
  read: fields({ event: event('read'), path: text, bytes: number }),
  delivered: fields({ event: event('delivered'), path: text, key: text, bytes: count, ...about }),
  duplicate: fields({ event: event('duplicate'), path: text, of: text, ...about }),
  quarantined: fields({ event: event('quarantined'), path: text, reason: text, ...about }),
  failed: fields({ event: event('failed'), path: text, error: text, ...about }),
  retrying: fields({ event: event('retrying'), path: text, reason: text }),
  waiting: fields({ event: event('waiting'), path: text, reason: text, forMs: number }),
  warning: fields({ event: event('warning'), path: text, message: text }),
  'sink-down': fields({
    event: event('sink-down'),
    type: pluginErrorType,
    reason: text,
    retryAfterMs: optional(number),
  }),
});

/** One step of `diagnose`, or the end of it. */
export type SentDiagnosis = Omit<Diagnosis, 'error'> & { readonly error?: SentError };

export const diagnosisStep = optional(
  fields({
    step: text,
    outcome: oneOf('passed', 'failed', 'warned'),
    detail: text,
    remedy: optional(text),
    error: optional(sentError),
  }),
);

/** Metadata of an object are few names; a stranger's may be others than ours. */
const MOST_METADATA = 1000;

/** What a sink sees at a key, if anything. */
export const seenObject: Shape<VisibleObject | undefined> = optional(
  fields({
    bytes: count,
    metadata: record(text, MOST_METADATA),
    etag: optional(text),
    versionId: optional(text),
    sha256: optional(bytes),
    crc64nvme: optional(bytes),
  }),
);

/** What of an object crosses: a sink may know more of it than its contract asks for. */
export function bareObject(object: VisibleObject): VisibleObject {
  const { bytes: size, metadata, etag, versionId, sha256, crc64nvme } = object;
  return {
    bytes: size,
    metadata: { ...metadata },
    ...(etag !== undefined && { etag }),
    ...(versionId !== undefined && { versionId }),
    ...(sha256 !== undefined && { sha256 }),
    ...(crc64nvme !== undefined && { crc64nvme }),
  };
}
