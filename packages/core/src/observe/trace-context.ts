import { createHash } from 'node:crypto';

/** Where a request stands in somebody's trace, as its header `traceparent` says (W3C Trace Context, level 1). */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const HEADER = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;

/** `undefined` for what is no such header: the standard wants that to be ignored, and a trace of one's own begun. */
export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = HEADER.exec(header ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined))
    return undefined;
  if (NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The trace of a run: its request's, or one that follows from its id, so that every host and log line says the same. */
export function traceIdOf(run: string, parent: string | undefined): string {
  const given = parseTraceParent(parent)?.traceId;
  if (given !== undefined) return given;
  const digits = run.replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(digits)
    ? digits
    : createHash('sha256').update(run).digest('hex').slice(0, 32);
}
