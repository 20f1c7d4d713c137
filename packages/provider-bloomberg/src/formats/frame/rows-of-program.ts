import type { RowSink } from '../row-sink.ts';
import type { Tally } from '../tally.ts';
import { ActionRows } from './action-rows.ts';
import { DataRows } from './data-rows.ts';
import type { FrameRow } from './frame-row.ts';
import { PlainLines } from './plain-lines.ts';
import type { RowLayout } from './row-layout.ts';
import { START, VerticalHistory } from './vertical-history.ts';

export interface RowsOfProgram {
  readonly program: string;
  /** The header `OUTPUTFORMAT`. */
  readonly output: string | undefined;
  readonly fields: readonly string[];
  /** The first row, which tells the two forms of a history apart. */
  readonly first: FrameRow;
  readonly sink: RowSink | undefined;
  readonly tally: Tally;
}

/** What the rows of a reply look like. */
export function rowLayout(reply: RowsOfProgram): RowLayout {
  const { program, output, first, fields, sink, tally } = reply;
  if (output === 'fixed') return new PlainLines(sink, tally);
  if (program === 'getactions') return new ActionRows(sink, tally);
  const isHistory = program === 'gethistory';
  if (isHistory && first.startsWith(START)) return new VerticalHistory(sink, tally);
  if (isHistory || program === 'getdata') {
    const anyWidth = output === 'bulklist';
    return new DataRows({ fields, dated: isHistory, anyWidth, sink }, tally);
  }
  return new PlainLines(sink, tally);
}
