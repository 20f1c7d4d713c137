export interface Counted {
  readonly rows: number;
  readonly failed: number;
  readonly notAvailable: number;
}

/** The same rules as octo's, for the peers, over cells as text. */
export class TextReply {
  #rows = 0;
  #failed = 0;
  #notAvailable = 0;
  #fields = 0;
  #declared: string | undefined;
  #section = '';

  take(cells: readonly string[]): void {
    const [first = ''] = cells;
    if (cells.length === 1) this.#line(first);
    else if (this.#section === 'START-OF-DATA') this.#row(cells);
  }

  counted(): Counted {
    if (this.#section !== 'END-OF-FILE') throw new Error('cut off');
    if (Number(this.#declared) !== this.#rows) throw new Error('a wrong count');
    return { rows: this.#rows, failed: this.#failed, notAvailable: this.#notAvailable };
  }

  #line(line: string): void {
    if (/^(START|END)-OF-/.test(line)) this.#section = line;
    else if (this.#section === 'START-OF-FIELDS') this.#fields += 1;
    else if (line.startsWith('DATARECORDS=')) this.#declared = line.slice(12);
  }

  #row(cells: readonly string[]): void {
    const width = Number(cells[2]);
    if (cells.length !== 4 + width || width !== this.#fields || cells.at(-1) !== '')
      throw new Error('a wrong number of cells');
    this.#rows += 1;
    if (cells[1] === '10') this.#failed += 1;
    for (let i = 3; i < cells.length; i += 1) if (cells[i] === 'N.A.') this.#notAvailable += 1;
  }
}
