import type { Delivery } from '../ledger/delivery.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { Difference, DifferenceKind } from '../pipeline/difference.ts';
import type { SilentSink } from './asked-sinks.ts';
import { exitCodes } from './exit-code.ts';
import type { Paint } from './paint.ts';
import { count } from './run-line.ts';
import { table } from './table.ts';

/** A file whose object is not as the ledger has it. */
export interface Found extends Difference {
  readonly id: string;
  readonly pipeline: string;
  readonly path: string;
  readonly key: string | undefined;
  /** The place. */
  readonly sink: string;
}

/** Files whose sink was not asked, or did not answer. */
export interface NotCompared {
  readonly sink: string;
  readonly pipeline: string;
  readonly files: number;
  readonly reason: string;
}

/** What `octo-host files compare` found out. Texts of plugins are redacted. */
export interface Compared {
  readonly agreeing: number;
  readonly differing: ReadonlyMap<DifferenceKind, number>;
  /** The first ones, in the order of the ledger. */
  readonly found: readonly Found[];
  readonly notCompared: readonly NotCompared[];
  readonly silent: readonly SilentSink[];
}

export function foundOf(delivery: Delivery, { kind, reason }: Difference): Found {
  const { id, pipeline, path, objectKey: key, sink } = delivery;
  return { kind, reason, id, pipeline, path, key, sink };
}

/** What to do about each kind. */
const remedies: Readonly<Record<DifferenceKind, string>> = {
  row: 'somebody writes into the tables of the ledger: find out who, and take that right away; the audit log has what was delivered (octo-host audit show --action file.deliver PATH)',
  key: 'no run has delivered to such a key: as with a row',
  missing:
    'if something moves or deletes files there on purpose, all is well; if not, find out who does, and have it delivered again (POST /v1/files/ID/redeliver) while the vendor has it',
  stranger:
    'find out who writes there, and move it away; Octo overwrites nothing. Then have the file delivered again (POST /v1/files/ID/redeliver)',
  size: 'do not use the object: compare it and the row with the audit log (octo-host audit show --action file.deliver PATH), which tells who of the two was changed',
  content:
    'do not use the object: compare it and the row with the audit log (octo-host audit show --action file.deliver PATH), which tells who of the two was changed',
  version:
    'the bytes are the same: find out who copies or restores objects there; Octo writes each once',
};

/** The table, what to do, what was not compared, and how many are how. */
export function comparisonLines(compared: Compared, paint: Paint): string[] {
  const { found, notCompared, silent } = compared;
  const mute = silent.map(({ id, reason }) => escapeText(`${id} cannot be asked: ${reason}`));
  const left = notCompared.map(({ sink, pipeline, files, reason }) =>
    escapeText(`${count(files, 'file')} of ${pipeline} at ${sink} not compared: ${reason}`),
  );
  const parts = [foundLines(found, paint), remedyLines(found), [...mute, ...left]].filter(
    (lines) => lines.length > 0,
  );
  return [...parts.flatMap((lines) => [...lines, '']), inOneLine(compared, paint)];
}

function foundLines(found: readonly Found[], paint: Paint): string[] {
  if (found.length === 0) return [];
  const [head = '', ...rows] = table(
    ['differs', 'file', 'pipeline', 'key', 'reason'],
    found.map(({ kind, path, pipeline, key, reason }) =>
      [kind, path, pipeline, key ?? '–', reason].map(escapeText),
    ),
  );
  const lines = rows.map((row, index) => {
    const { kind } = found[index]!;
    return paint('bad', kind) + row.slice(kind.length);
  });
  return [paint('strong', head), ...lines];
}

function remedyLines(found: readonly Found[]): string[] {
  const kinds = new Set(found.map(({ kind }) => kind));
  return [...kinds].map((kind) => `${kind} → ${remedies[kind]}`);
}

function inOneLine({ agreeing, differing, found, notCompared }: Compared, paint: Paint): string {
  const differ = sum(differing.values());
  const left = sum(notCompared.map(({ files }) => files));
  const kinds = [...differing].map(([kind, files]) => `${files} ${kind}`).join(', ');
  const verdict =
    differ === 0
      ? paint('good', 'no difference')
      : paint('bad', `${differ} ${differ === 1 ? 'differs' : 'differ'}`) + ` (${kinds})`;
  const untold = differ > found.length ? `; the newest ${found.length} of them are told` : '';
  const notes = left > 0 ? `; ${left} not compared` : '';
  return `${count(agreeing + differ, 'file')} compared: ${verdict}${untold}${notes}`;
}

/** The document that `--json` prints. Programs read it: names are only ever added. */
export function comparisonJson(compared: Compared): string {
  const { agreeing, differing, found, notCompared, silent } = compared;
  const differ = sum(differing.values());
  return JSON.stringify({
    ok: exitCodeOfComparison(compared) === exitCodes.allWell,
    compared: agreeing + differ,
    agree: agreeing,
    differ,
    differences: found.map(({ kind, id, pipeline, path, key, sink, reason }) => {
      return { kind, id, pipeline, path, key: key ?? null, sink, reason, remedy: remedies[kind] };
    }),
    more: differ - found.length,
    notCompared: notCompared.map(({ sink, pipeline, files, reason }) => {
      return { sink, pipeline, files, reason };
    }),
    silent: silent.map(({ id, reason }) => ({ id, reason })),
  });
}

/** 3 when a sink could not be asked, else 1 when something differs. A place that no sink leads to any more is no alarm. */
export function exitCodeOfComparison({ differing, silent }: Compared): number {
  const found = differing.size > 0 ? exitCodes.filesRefused : exitCodes.allWell;
  return Math.max(found, ...silent.map(({ code }) => code));
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((all, one) => all + one, 0);
}
