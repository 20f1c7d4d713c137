import { malformed } from '../bad-reply.ts';
import type { RowSink } from '../row-sink.ts';
import type { Tally } from '../tally.ts';
import { cellText } from './data-rows.ts';
import type { FrameRow } from './frame-row.ts';
import type { RowLayout } from './row-layout.ts';

/**
 * getactions: `security|bb_unique|company id|return code|number of fields|`, then as many cells: `action id|mnemonic|flag|
 * company name|`, and names and values in turn. A security without an event has none of them.
 */
export class ActionRows implements RowLayout {
  readonly name = 'actions';
  readonly #tally: Tally;
  readonly #sink: RowSink | undefined;

  constructor(sink: RowSink | undefined, tally: Tally) {
    this.#sink = sink;
    this.#tally = tally;
    sink?.columns([...IDENTITY, ...EVENT, 'DETAILS']);
  }

  row(row: FrameRow): void {
    row.expectClosed();
    if (row.cells < HEAD)
      throw malformed(row.line, row.cells + 1, 'the number of fields is missing');
    const code = row.integer(3, 'the return code');
    const width = row.integer(4, 'the number of fields');
    if (row.cells - HEAD !== width)
      throw malformed(row.line, 5, `it announces ${width} fields and has ${row.cells - HEAD}`);
    if (width > 0 && (width < EVENT.length || (width - EVENT.length) % 2 !== 0))
      throw malformed(row.line, 5, 'its names and values do not come in pairs');
    this.#tally.code(code, row.line);
    this.#sink?.row([...this.#leading(row), details(row)]);
  }

  end(): void {}

  records(): readonly number[] {
    return [this.#tally.rows];
  }

  #leading(row: FrameRow): (string | null)[] {
    return [0, 1, 2, 3, 5, 6, 7, 8].map((cell) => cellText(row, cell));
  }
}

const IDENTITY = ['SECURITY', 'BB_UNIQUE', 'COMPANY_ID', 'RC'];
const EVENT = ['ACTION_ID', 'MNEMONIC', 'FLAG', 'COMPANY_NAME'];
/** The identity, and the number of fields. */
const HEAD = IDENTITY.length + 1;

/** Names and values as JSON, because every kind of action has others; `null` without an event. */
function details(row: FrameRow): string | null {
  const pairs: [string, string | null][] = [];
  for (let cell = HEAD + EVENT.length; cell < row.cells; cell += 2)
    pairs.push([row.text(cell), cellText(row, cell + 1)]);
  return row.cells > HEAD ? JSON.stringify(Object.fromEntries(pairs)) : null;
}
