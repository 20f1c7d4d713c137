import { badReply } from './bad-reply.ts';
import { NULL_TOKENS } from './null-token.ts';
import { returnCode } from './return-codes.ts';

/** Counts what a person wants to know of a reply's rows: return codes, and values that are missing. */
export class Tally {
  rows = 0;
  readonly #codes = new Map<number, CodeCount>([[0, { rows: 0, first: [] }]]);
  readonly #ok = this.#codes.get(0) as CodeCount;
  /** Missing values by index in `NULL_TOKENS`. */
  readonly nulls = new Float64Array(NULL_TOKENS.length);
  /** Fields whose values are missing for a reason that somebody can act upon, by token. */
  readonly #lost = new Map<string, Map<string, number>>();
  #badBulkCells = 0;
  readonly #badBulkRows: number[] = [];

  /** @throws PluginError `integrity` `MALFORMED` when there are more different codes than any reply has */
  code(code: number, row: number): void {
    this.rows += 1;
    if (code === 0) {
      this.#ok.rows += 1;
      return;
    }
    this.outcome(code, row);
  }

  /** A code that belongs to no row: to the end of a block. */
  outcome(code: number, row: number): void {
    let count = this.#codes.get(code);
    if (count === undefined) {
      if (this.#codes.size === MAX_CODES)
        throw badReply('MALFORMED', `row ${row}, column 2: too many different return codes`);
      count = { rows: 0, first: [] };
      this.#codes.set(code, count);
    }
    count.rows += 1;
    if (count.first.length < NAMED_ROWS) count.first.push(row);
  }

  /** @param token its index in `NULL_TOKENS` @param field whose value is missing */
  missing(token: number, field: string | undefined): void {
    this.nulls[token] = (this.nulls[token] as number) + 1;
    if (token < FIRST_LOST) return;
    const name = NULL_TOKENS[token] as string;
    if (field === undefined || !Object.hasOwn(LOST, name)) return;
    const fields = this.#lost.get(name) ?? new Map<string, number>();
    this.#lost.set(name, fields.set(field, (fields.get(field) ?? 0) + 1));
  }

  badBulkCell(row: number): void {
    this.#badBulkCells += 1;
    if (this.#badBulkRows.length < NAMED_ROWS) this.#badBulkRows.push(row);
  }

  facts(): { readonly [name: string]: unknown } {
    const codes = [...this.#codes].filter(([, { rows }]) => rows > 0);
    const nulls = NULL_TOKENS.map((token, index) => [token, this.nulls[index] as number] as const);
    return {
      rows: this.rows,
      returnCodes: Object.fromEntries(codes.map(([code, { rows }]) => [code, rows])),
      nulls: Object.fromEntries(nulls.filter(([, count]) => count > 0)),
    };
  }

  warnings(): string[] {
    return [...this.#codeWarnings(), ...this.#lostWarnings(), ...this.#bulkWarnings()];
  }

  #codeWarnings(): string[] {
    return [...this.#codes]
      .filter(([code, { rows }]) => code !== 0 && rows > 0)
      .map(([code, { rows, first }]) => {
        const { meaning } = returnCode(code);
        return `return code ${code} (${meaning}) ${times(rows)}: ${rowList(first, rows)}`;
      });
  }

  #lostWarnings(): string[] {
    return [...this.#lost].map(([token, fields]) => {
      const named = [...fields]
        .slice(0, NAMED_ROWS)
        .map(([field, count]) => `${field} ${times(count)}`);
      const more = fields.size > NAMED_ROWS ? ' …' : '';
      return `${token}, ${LOST[token]}: ${named.join(', ')}${more}`;
    });
  }

  #bulkWarnings(): string[] {
    if (this.#badBulkCells === 0) return [];
    const rows = rowList(this.#badBulkRows, this.#badBulkCells);
    return [
      `a bulk cell is not what its first numbers announce ${times(this.#badBulkCells)}: ${rows}`,
    ];
  }
}

interface CodeCount {
  rows: number;
  readonly first: number[];
}

const NAMED_ROWS = 5;
const MAX_CODES = 100;
const FIRST_LOST = NULL_TOKENS.indexOf('N.S.');
const LOST: { readonly [token: string]: string } = {
  'N.S.': 'fields that the licence does not cover',
  'FLD UNKNOWN': 'fields that Bloomberg does not know',
};

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function rowList(first: readonly number[], all: number): string {
  return `row ${first.join(', ')}${all > first.length ? ' …' : ''}`;
}
