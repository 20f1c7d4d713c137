import { setImmediate } from 'node:timers/promises';
import { isPluginError } from '@octo/plugin-api';
import { inspectReply } from '../../../src/formats/reply-inspection.ts';
import { replyRows } from '../../../src/formats/reply-rows.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { isAcceptable } from './reference-verdict.ts';
import { SAMPLES } from './samples.ts';

export interface FuzzResult {
  readonly inputs: number;
  readonly accepted: number;
  /** By code. */
  readonly refused: { readonly [code: string]: number };
}

const CODES = 'TRUNCATED MALFORMED COUNT_MISMATCH ERROR_REPLY EMPTY_FILE UNKNOWN_FORM'.split(' ');

/**
 * Inspects `inputs` mutated replies, cut into chunks by chance, and holds every verdict against the reference, and against
 * that of the row reader. Input `i` depends on `seed` and `i` alone.
 * @throws for the first input about which they differ, or that makes anything but a PluginError
 */
export async function fuzzReplies(seed: number, inputs: number, from = 0): Promise<FuzzResult> {
  let accepted = 0;
  const refused: Record<string, number> = {};
  for (let i = from; i < from + inputs; i += 1) {
    // The test runner has to be able to say that it lives.
    if (i % 1_000 === 0) await setImmediate();
    const verdict = verdictOn(seed, i);
    if (verdict === 'accepted') accepted += 1;
    else refused[verdict] = (refused[verdict] ?? 0) + 1;
  }
  return { inputs, accepted, refused };
}

function verdictOn(seed: number, index: number): string {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b));
  const bytes = mutate(random.pick(SAMPLES), random);
  const expected = isAcceptable(bytes);
  const size = random.pick([1, 5, 17, 64, 64, 300, 4_096, 4_096]);
  const inspected = verdictOf(() => inspectRows(bytes, size));
  const tabulated = verdictOf(() => tableRows(bytes, size));
  const agree = (inspected.code === 'accepted') === expected && same(inspected, tabulated);
  if (agree && (expected || CODES.includes(inspected.code))) return inspected.code;
  throw new Error(
    `seed ${seed}, input ${index}, chunks of ${size}: inspected ${JSON.stringify(inspected)}, as a table ` +
      `${JSON.stringify(tabulated)}, expected ${expected ? 'accepted' : 'refused'}:\n${JSON.stringify(bytes.toString('latin1'))}`,
  );
}

interface Verdict {
  readonly code: string;
  readonly rows: number;
}

function same(a: Verdict, b: Verdict): boolean {
  return a.code === b.code && a.rows === b.rows;
}

function verdictOf(read: () => number): Verdict {
  try {
    return { code: 'accepted', rows: read() };
  } catch (error) {
    if (!isPluginError(error) || error.type !== 'integrity') throw error;
    return { code: error.code ?? 'no code', rows: 0 };
  }
}

function inspectRows(bytes: Buffer, size: number): number {
  const inspection = inspectReply();
  for (let at = 0; at < bytes.length; at += size) inspection.write(bytes.subarray(at, at + size));
  return inspection.finish().facts['rows'] as number;
}

/** Blocks of a history that failed are rows of the table and not of the file. */
function tableRows(bytes: Buffer, size: number): number {
  const table = replyRows();
  let rows = 0;
  const count = (more: ReturnType<typeof table.write>): void => {
    const isHistory = table.columns?.[4] === 'VALUE';
    for (const row of more) if (!isHistory || row[3] !== null || row[1] === '0') rows += 1;
  };
  for (let at = 0; at < bytes.length; at += size) count(table.write(bytes.subarray(at, at + size)));
  count(table.finish());
  return rows;
}
