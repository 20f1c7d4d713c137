import type { DeliveredFile } from '@octo/plugin-api';
import {
  reissuedDetails,
  settlementDay,
  type SettlementFile,
  summaryOneCentOff,
} from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { inspectSettlement } from '../../src/content/inspect-settlement.ts';
import { reconcile } from '../../src/content/reconcile.ts';

const day = settlementDay({ merchant: 'northwind', date: '2026-01-15', deposits: 2, seed: 4 });

test('a pair that agrees has no findings', () => {
  expect(reconcile([delivered(day.details), delivered(day.summary)])).toEqual([]);
});

test('a report alone has no findings yet', () => {
  expect(reconcile([delivered(day.details)])).toEqual([]);
  expect(reconcile([delivered(day.summary)])).toEqual([]);
  expect(reconcile([])).toEqual([]);
});

test('one cent is found, and its deposit named', () => {
  const findings = reconcile([delivered(day.details), delivered(summaryOneCentOff(day))]);
  expect(findings).toEqual([
    expect.stringMatching(
      new RegExp(
        `^details and summary of deposit ${day.deposits[0]?.depositId} differ: total settled .* \\(-0.01\\) USD$`,
      ),
    ),
  ]);
});

test('a re-issued report takes the place of the one it corrects', () => {
  const again = delivered(reissuedDetails(day, 1_000));
  const files = [delivered(day.details), delivered(day.summary)];
  expect(reconcile([...files, again])).toEqual([
    expect.stringMatching(/differ: sales .* \(10\.00\), total settled .* \(10\.00\) USD$/),
  ]);
  expect(reconcile([again, ...files])).toEqual([]);
});

test('a deposit that one of the two does not know is found', () => {
  const other = settlementDay({ merchant: 'northwind', date: '2026-01-15', deposits: 1, seed: 4 });
  const ofOther = {
    ...other.summary,
    text: other.summary.text.replace(/,[A-Z0-9]{15},/, ',OTHER,'),
  };
  const findings = reconcile([delivered(other.details), delivered(ofOther)]);
  expect(findings).toEqual([
    expect.stringContaining('is in the details, but not in the summary'),
    expect.stringContaining('deposit OTHER is in the summary, but not in the details'),
  ]);
});

test('details without deposit ids are held against the summary as a whole', () => {
  const withoutIds = day.details.text
    .split('\n')
    .map((line) => line.slice(0, line.lastIndexOf(',')))
    .join('\n');
  const details = delivered({ ...day.details, text: withoutIds.trimEnd() });
  expect(reconcile([details, delivered(day.summary)])).toEqual([]);
  expect(reconcile([details, delivered(summaryOneCentOff(day))])).toEqual([
    expect.stringMatching(/^details and summary differ: total settled/),
  ]);
});

test('facts that are not ours are ignored', () => {
  const odd: DeliveredFile = { path: 'a', name: 'a', facts: { kind: 'details', total: 7 } };
  expect(reconcile([odd, delivered(day.summary)])).toEqual([]);
});

function delivered({ name, text }: SettlementFile): DeliveredFile {
  const inspection = inspectSettlement(name.includes('details') ? 'details' : 'summary');
  inspection?.write(Buffer.from(text));
  const { facts = {} } = inspection?.finish() ?? {};
  // The ledger keeps facts as JSON.
  return { path: name, name, facts: JSON.parse(JSON.stringify(facts)) as DeliveredFile['facts'] };
}
