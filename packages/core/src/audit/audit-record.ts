import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AuditEntry } from './audit-trail.ts';
import { canonicalJson } from './canonical-json.ts';

/** An entry with its place in the chain. */
export interface AuditRecord extends AuditEntry {
  /** Counts from 1, without gaps, over all segments. */
  readonly n: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** The `mac` of the record before; 64 zeros for the first. */
  readonly prev: string;
  /** HMAC-SHA-256 over everything before it in the line, `prev` included; hex. */
  readonly mac: string;
}

/** Where a chain ends. */
export interface Head {
  readonly n: number;
  readonly mac: string;
}

/** Of an empty log. */
export const NO_RECORDS: Head = { n: 0, mac: '0'.repeat(64) };

/** What the log says of itself. */
export const OWN_ACTIONS = { torn: 'audit.torn-line', segmentEnd: 'audit.segment-end' } as const;

/** One line of the log, without its end: `{…,"mac":"…"}`. */
export function recordLine(
  { at, entry, after }: { readonly at: string; readonly entry: AuditEntry; readonly after: Head },
  key: Uint8Array,
): { readonly line: string; readonly head: Head } {
  const n = after.n + 1;
  const body = canonicalJson({ ...entry, n, at, prev: after.mac }).slice(0, -1);
  const mac = macOf(body, key).toString('hex');
  return { line: `${body},"mac":"${mac}"}`, head: { n, mac } };
}

/**
 * The record of a line, if it was written with this key; whether it stands at the right place is not looked at.
 * @returns `undefined` when a single byte is not as it was written
 */
export function readRecord(line: string, key: Uint8Array): AuditRecord | undefined {
  const [, body, mac] = LINE.exec(line) ?? [];
  if (body === undefined || mac === undefined) return undefined;
  if (!timingSafeEqual(macOf(body, key), Buffer.from(mac, 'hex'))) return undefined;
  // Only who has the key wrote it, so it has the shape.
  return JSON.parse(line) as AuditRecord;
}

const LINE = /^(\{[^\n]*),"mac":"([0-9a-f]{64})"\}$/;

function macOf(body: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(body, 'utf8').digest();
}
