import { isPluginError } from '@octo/plugin-api';
import { largeDetails, settlementDay } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import { inspectSettlement } from '../../src/content/inspect-settlement.ts';

const HEADER =
  'date,charge_created_date,charge_id,transaction_id,order_id,event_type,' +
  'sales,refunds,fees,txn_fees,total_settled,currency,deposit_id';
const CAPTURE =
  '2026-01-15,2026-01-14,K3PD-7QXZ,aB3dE5gH7jK9mN1p,SO-100045,loan_captured,' +
  '1299.00,0.00,-55.73,-0.30,1242.97,USD,Q7RT2LMX90PWKZ4';
const REFUND =
  '2026-01-15,2025-12-02,W9HC-2MVB,zY8xW7vU6tS5rQ4o,SO-098812,loan_refunded,' +
  '0.00,-240.00,0.00,0.00,-240.00,USD,Q7RT2LMX90PWKZ4';
const DISPUTE =
  '2026-01-15,2025-11-20,T4NB-8LRC,mK2jH4gF6dS8aP0q,"SO-097001, split",dispute_opened,' +
  '0.00,-89.90,0.00,0.00,-89.90,USD,Q7RT2LMX90PWKZ4';

describe('a details report', () => {
  test('is counted and added up by deposit, in cents', () => {
    expect(details(HEADER, CAPTURE, REFUND, DISPUTE)).toEqual({
      facts: {
        kind: 'details',
        rows: 3,
        rowsNotAddingUp: 0,
        currency: 'USD',
        everyDeposit: true,
        events: { loan_captured: 1, loan_refunded: 1, dispute_opened: 1 },
        deposits: {
          Q7RT2LMX90PWKZ4: {
            rows: 3,
            sales: '129900',
            refunds: '-32990',
            fees: '-5603',
            total: '91307',
          },
        },
        total: { rows: 3, sales: '129900', refunds: '-32990', fees: '-5603', total: '91307' },
      },
      warnings: [],
    });
  });

  test('agrees with what the generator says, wherever the chunks are cut', () => {
    const day = settlementDay({
      merchant: 'northwind',
      date: '2026-01-19',
      orders: 60,
      deposits: 2,
    });
    const expected = Object.fromEntries(
      day.deposits.map((deposit) => [
        deposit.depositId,
        expect.objectContaining({
          sales: `${deposit.sales}`,
          refunds: `${deposit.refunds}`,
          fees: `${deposit.fees}`,
          total: `${deposit.totalSettled}`,
        }),
      ]),
    );
    for (const size of [1, 2, 3, 7, 100, 1_000_000]) {
      const { facts, warnings } = inspect('details', day.details.text, size);
      expect(facts).toMatchObject({ rows: day.rows.length, deposits: expected });
      expect(warnings).toEqual([]);
    }
  });

  test('may begin with a byte order mark', () => {
    for (const size of [1, 2, 3, 1_000])
      expect(inspect('details', `\uFEFF${HEADER}\n${CAPTURE}\n`, size).facts['rows']).toBe(1);
  });

  test('may end its lines with CRLF', () => {
    for (const size of [1, 5, 1_000]) {
      const { facts } = inspect('details', `${HEADER}\r\n${DISPUTE}\r\n${CAPTURE}\r\n`, size);
      expect(facts).toMatchObject({ rows: 2, deposits: { Q7RT2LMX90PWKZ4: { rows: 2 } } });
    }
  });

  test('may have commas, doubled quotes and line ends inside quotes', () => {
    const tricky = DISPUTE.replace('"SO-097001, split"', '"say ""no"", twice\nand ""again"""');
    for (const size of [1, 2, 3, 1_000])
      expect(inspect('details', `${HEADER}\n${tricky}\n`, size).facts).toMatchObject({
        rows: 1,
        total: { total: '-8990' },
      });
  });

  test('may quote any field, the last one and the header too', () => {
    const quoted = (line: string) =>
      line
        .split(',')
        .map((field) => `"${field}"`)
        .join(',');
    for (const lineEnd of ['\n', '\r\n'])
      for (const size of [1, 1_000])
        expect(
          inspect('details', quoted(HEADER) + lineEnd + quoted(CAPTURE) + lineEnd, size).facts,
        ).toMatchObject({ currency: 'USD', deposits: { Q7RT2LMX90PWKZ4: { total: '124297' } } });
  });

  test('may be nothing but its header', () => {
    expect(details(HEADER)).toMatchObject({ facts: { rows: 0, deposits: {} }, warnings: [] });
  });

  test('is refused when it has no bytes, or nothing but a byte order mark', () => {
    expect(refusal('details', '')).toMatchObject({ type: 'integrity', code: 'EMPTY_FILE' });
    expect(refusal('details', '\uFEFF')).toMatchObject({ code: 'EMPTY_FILE' });
    expect(refusal('details', '\n\n')).toMatchObject({ code: 'EMPTY_FILE' });
  });

  test('is refused when a column is missing, and the column is named', () => {
    const without = HEADER.replace('txn_fees,', '');
    expect(refusal('details', `${without}\n`)).toMatchObject({
      type: 'integrity',
      code: 'MISSING_COLUMN',
      message: expect.stringContaining("'txn_fees'"),
    });
  });

  test('is refused when a column is there twice', () => {
    expect(refusal('details', `${HEADER},sales\n`)).toMatchObject({ code: 'DUPLICATE_COLUMN' });
  });

  test('is read by the names of its columns, in any order, with new ones among them', () => {
    const reversed = (line: string) => `new,${line.split(',').toReversed().join(',')}`;
    expect(details(reversed(HEADER), reversed(CAPTURE))).toMatchObject({
      facts: { rowsNotAddingUp: 0, deposits: { Q7RT2LMX90PWKZ4: { total: '124297' } } },
      warnings: [],
    });
  });

  test('of a virtual-card programme may say event_date and debit_id', () => {
    const header = HEADER.replace('date', 'event_date').replace('charge_id', 'debit_id');
    expect(details(header, CAPTURE).warnings).toEqual([]);
  });

  test('without deposit_id and currency is one deposit without a name', () => {
    const short = (line: string) => line.split(',').slice(0, 11).join(',');
    expect(details(short(HEADER), short(CAPTURE), short(REFUND)).facts).toMatchObject({
      deposits: { '': { rows: 2, total: '100297' } },
    });
  });

  test('may say -0.00', () => {
    const { facts } = details(HEADER, CAPTURE.replace(',0.00,', ',-0.00,'));
    expect(facts).toMatchObject({ rowsNotAddingUp: 0, total: { refunds: '0' } });
  });

  test.each([
    ['"1,299.00"', 'a thousands separator'],
    ['1 299.00', 'a space'],
    ['$1299.00', 'a sign of currency'],
    ['1.299', 'three decimals'],
    ['1299.', 'a point and nothing behind it'],
    ['.50', 'nothing before the point'],
    ['1e3', 'an exponent'],
    ['+5.00', 'a plus sign'],
    ['--5.00', 'two signs'],
    ['', 'no amount'],
    ['-', 'a sign alone'],
    ['1234567890123.00', 'more than twelve digits'],
  ])('is refused for %s: %s in an amount; the row is named, not the amount', (amount) => {
    const error = refusal(
      'details',
      `${HEADER}\n${REFUND}\n${CAPTURE.replace('1299.00', amount)}\n`,
    );
    expect(error).toMatchObject({ type: 'integrity', code: 'BAD_AMOUNT' });
    expect(error?.message).toMatch(/^row 3: sales is not an amount/);
    expect(error?.message).not.toContain('299');
  });

  test('takes amounts with no and with one decimal', () => {
    const row = CAPTURE.replace('1299.00', '1299').replace('-0.30', '-0.3');
    expect(details(HEADER, row).facts).toMatchObject({ rowsNotAddingUp: 0 });
  });

  test('keeps 0042 and other leading zeros out of it', () => {
    const { warnings } = details(`${HEADER},account_last_four`, `${CAPTURE},0042`);
    expect(warnings).toEqual([]);
  });

  test('is refused when a row has too few or too many fields', () => {
    for (const row of [CAPTURE.replace(',USD', ''), `${CAPTURE},more`])
      expect(refusal('details', `${HEADER}\n${row}\n${REFUND}\n`)).toMatchObject({
        code: 'MALFORMED_ROW',
        message: expect.stringContaining('row 2 '),
      });
  });

  test('is refused when something follows a closing quote', () => {
    expect(
      refusal('details', `${HEADER}\n${DISPUTE.replace('split"', 'split"x')}\n`),
    ).toMatchObject({
      code: 'MALFORMED_ROW',
      message: expect.stringContaining('row 2:'),
    });
  });

  test('is refused when it was cut off, wherever in the last row that shows', () => {
    const text = `${HEADER}\n${CAPTURE}\n${DISPUTE}`;
    const lastRow = text.lastIndexOf('\n') + 1;
    const lastComma = text.lastIndexOf(',');
    for (let end = lastRow + 1; end <= lastComma; end += 1)
      expect(refusal('details', text.slice(0, end))).toMatchObject({
        type: 'integrity',
        code: expect.stringMatching(/^(TRUNCATED|BAD_AMOUNT)$/),
      });
  });

  test('is delivered with a warning when only the last line end is missing', () => {
    expect(inspect('details', `${HEADER}\n${CAPTURE}`).warnings).toEqual([
      expect.stringContaining('no line end'),
    ]);
  });

  test('is refused as cut off when the last row has no line end and does not add up', () => {
    const columns = 'date,charge_id,event_type,sales,refunds,fees,txn_fees,total_settled';
    expect(refusal('details', `${columns}\n,,,5.00,0.00,0.00,0.00,5`)).toBeUndefined();
    expect(refusal('details', `${columns}\n,,,15.00,0.00,0.00,0.00,15.0`)).toBeUndefined();
    expect(refusal('details', `${columns}\n,,,15.00,0.00,0.00,0.00,1`)).toMatchObject({
      code: 'TRUNCATED',
    });
  });

  test('whose rows do not add up is delivered, and the rows are named', () => {
    const off = CAPTURE.replace('1242.97', '1242.96');
    const { facts, warnings } = details(HEADER, REFUND, off, off);
    expect(facts['rowsNotAddingUp']).toBe(2);
    expect(warnings).toEqual([expect.stringMatching(/2 rows do not add up.*row 3, 4$/)]);
  });

  test('counts fees once: txn_fees are not part of fees', () => {
    const asInApi = CAPTURE.replace('-55.73,-0.30', '-56.03,-0.30');
    expect(details(HEADER, asInApi).facts['rowsNotAddingUp']).toBe(1);
  });

  test('with an unknown event type is delivered with one warning for the type', () => {
    const odd = CAPTURE.replace('loan_captured', 'moon_landing');
    const { facts, warnings } = details(HEADER, odd, odd, CAPTURE);
    expect(facts['events']).toEqual({ moon_landing: 2, loan_captured: 1 });
    expect(warnings).toEqual(["unknown event_type 'moon_landing' in 2 of the rows"]);
  });

  test('that calls events as the API does means the same events', () => {
    const { facts, warnings } = details(HEADER, CAPTURE.replace('captured', 'capture'), CAPTURE);
    expect(facts['events']).toEqual({ loan_captured: 2 });
    expect(warnings).toEqual([]);
  });

  test('with two currencies is delivered with a warning', () => {
    const { facts, warnings } = details(HEADER, CAPTURE, REFUND.replace('USD', 'CAD'));
    expect(facts).not.toHaveProperty('currency');
    expect(warnings).toEqual([expect.stringContaining('2 currencies')]);
  });

  test('with more deposits than can be told apart is still added up as a whole', () => {
    const rows = Array.from({ length: 1_500 }, (_, i) =>
      CAPTURE.replace('Q7RT2LMX90PWKZ4', `D${i}`),
    );
    const { facts, warnings } = details(HEADER, ...rows);
    expect(facts).toMatchObject({
      everyDeposit: false,
      total: { rows: 1_500, total: '186445500' },
    });
    expect(Object.keys(facts['deposits'] as object)).toHaveLength(1_000);
    expect(warnings).toHaveLength(1);
  });

  test('is refused when a row never ends', () => {
    const inspection = inspectSettlement('details');
    inspection?.write(Buffer.from(`${HEADER}\n`));
    expect(() => {
      for (let i = 0; i < 100; i += 1) inspection?.write(Buffer.alloc(10_000, 'x'));
    }).toThrow(expect.objectContaining({ code: 'LINE_TOO_LONG' }));
  });

  test('of many rows is added up exactly', async () => {
    const inspection = inspectSettlement('details');
    for await (const chunk of largeDetails({ size: 2_000_000 }).chunks()) inspection?.write(chunk);
    expect(inspection?.finish()).toMatchObject({ facts: { rowsNotAddingUp: 0 }, warnings: [] });
  });
});

describe('a summary report', () => {
  test('tells its deposits in cents', () => {
    const day = settlementDay({ merchant: 'northwind', date: '2026-01-15', deposits: 2 });
    const { facts, warnings } = inspect('summary', day.summary.text);
    expect(warnings).toEqual([]);
    expect(Object.keys(facts['deposits'] as object)).toEqual(
      day.deposits.map(({ depositId }) => depositId),
    );
  });

  test('of an unknown layout is delivered with a warning, because none is public', () => {
    const { facts, warnings } = inspect('summary', 'day,amount\n2026-01-15,1242.97\n');
    expect(facts).toMatchObject({ kind: 'summary', rows: 1 });
    expect(warnings).toEqual([expect.stringContaining('not held against the details')]);
  });

  test('is refused without bytes', () => {
    expect(refusal('summary', '')).toMatchObject({ code: 'EMPTY_FILE' });
  });
});

test('nothing is promised about files of another kind', () => {
  expect(inspectSettlement('letters')).toBeUndefined();
  expect(inspectSettlement(undefined)).toBeUndefined();
});

function details(...lines: readonly string[]) {
  return inspect('details', lines.map((line) => `${line}\n`).join(''));
}

function inspect(kind: string, text: string, chunkSize = 64 * 1024) {
  const inspection = inspectSettlement(kind);
  if (inspection === undefined) throw new Error(`no inspection for ${kind}`);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkSize)
    // A copy: whoever keeps a reference instead of the bytes is found out.
    inspection.write(Uint8Array.from(bytes.subarray(at, at + chunkSize)));
  return inspection.finish();
}

function refusal(kind: string, text: string): { readonly message: string } | undefined {
  try {
    inspect(kind, text, 50);
    return undefined;
  } catch (error) {
    if (isPluginError(error)) return error;
    throw error;
  }
}
