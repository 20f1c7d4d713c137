/** Settlement reports that are not what Affirm promises, among good ones. */
import { settlementDay, VirtualTree } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { runTwice } from './run-twice.ts';
import { withLedger } from './site.ts';

withLedger();

const reports = {
  vendor: { pattern: undefined },
  pipeline: { steps: ['verify'], key: '{merchant}/{name}' },
};
const report = (merchant: string) =>
  settlementDay({ merchant, date: '2026-01-15', orders: 5 }).details;
const nameOf = (merchant: string) => report(merchant).name;

const again = 'ask Affirm to send the report again';
const noHeader = `MISSING_COLUMN: the header has no column 'date' or 'event_date': this is no settlement report, or its layout has changed; ${again}`;

/** The third row, its fields given to `change`. */
function withRow(merchant: string, change: (fields: string[]) => readonly string[]): string {
  const lines = report(merchant).text.split('\n');
  lines[2] = change(lines[2]!.split(',')).join(',');
  return lines.join('\n');
}

test('reports with a broken row, a missing column or a missing end are refused', async () => {
  const header = report('headless').text.split('\n').slice(1).join('\n');
  const files: { readonly [merchant: string]: string } = {
    good: report('good').text,
    'one-field-less': withRow('one-field-less', (fields) => fields.slice(1)),
    'no-amount': withRow('no-amount', (fields) => fields.with(6, 'a lot')),
    unclosed: withRow('unclosed', (fields) => fields.with(4, '"never closed')),
    headless: header,
    'cut-off': report('cut-off').text.slice(0, -20),
    empty: '',
    binary: '\u0000\u0001\u0002'.repeat(100),
  };
  const tree = new VirtualTree();
  for (const [merchant, text] of Object.entries(files)) tree.file(`/in/${nameOf(merchant)}`, text);
  expect(await runTwice(() => ({ ...reports, tree }))).toEqual({
    code: 1,
    visible: [`good/${nameOf('good')}`],
    refused: {
      [nameOf('one-field-less')]: `MALFORMED_ROW: row 3 has 12 fields, the header 13; ${again}`,
      [nameOf('no-amount')]:
        `BAD_AMOUNT: row 3: sales is not an amount such as -55.73 (no thousands separators, no signs of currency); ${again}`,
      [nameOf('unclosed')]:
        `MALFORMED_ROW: row 3: something follows the closing quote of a field; ${again}`,
      [nameOf('headless')]: noHeader,
      [nameOf('cut-off')]:
        `TRUNCATED: row 10, the last one, has no line end and it has 12 of 13 fields: the file was cut off; ${again}`,
      [nameOf('empty')]:
        "EMPTY_FILE: it has no bytes; the pipeline's emptyFiles: 'deliver' would accept it",
      [nameOf('binary')]: noHeader,
    },
  });
});
