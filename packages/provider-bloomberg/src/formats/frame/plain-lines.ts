import type { RowSink } from '../row-sink.ts';
import type { Tally } from '../tally.ts';
import type { FrameRow } from './frame-row.ts';
import type { RowLayout } from './row-layout.ts';

/** Rows of a program whose layout is not public: counted, and handed on as they are. */
export class PlainLines implements RowLayout {
  readonly name = 'unknown';
  readonly #tally: Tally;
  readonly #sink: RowSink | undefined;

  constructor(sink: RowSink | undefined, tally: Tally) {
    this.#sink = sink;
    this.#tally = tally;
    sink?.columns(['LINE']);
  }

  row(row: FrameRow): void {
    this.#tally.rows += 1;
    this.#sink?.row([row.bytes.toString(row.encoding, row.start, row.end)]);
  }

  end(): void {}

  records(): readonly number[] {
    return [this.#tally.rows];
  }
}
