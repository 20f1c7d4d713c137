import type { DeliveredFile } from '@octo/plugin-api';
import { formatCents } from './cents.ts';

/**
 * Holds the details report of a period against its summary: by deposit, to the cent. Of several deliveries of the same
 * kind the last in the list counts, so that a re-issued file takes the place of the one it corrects.
 *
 * @returns one sentence for each deposit that differs; none while one of the two is missing
 */
export function reconcile(files: readonly DeliveredFile[]): readonly string[] {
  const details = lastOf('details', files);
  const summary = lastOf('summary', files);
  if (details === undefined || summary === undefined) return [];
  const findings = differences(details, summary);
  const unnamed = findings.length - MAX_FINDINGS;
  return unnamed <= 0
    ? findings
    : [...findings.slice(0, MAX_FINDINGS), `and ${unnamed} more deposits differ`];
}

const MAX_FINDINGS = 20;
const AMOUNTS = { sales: 'sales', refunds: 'refunds', fees: 'fees', total: 'total settled' };

interface Report {
  readonly currency: string;
  readonly deposits: ReadonlyMap<string, Totals>;
  readonly total: Totals;
  readonly byDeposit: boolean;
}

type Totals = { readonly [amount: string]: bigint };

function lastOf(kind: string, files: readonly DeliveredFile[]): Report | undefined {
  const file = files.findLast(({ facts }) => facts['kind'] === kind && isRecord(facts['total']));
  if (file === undefined) return undefined;
  const deposits = new Map(
    Object.entries(isRecord(file.facts['deposits']) ? file.facts['deposits'] : {}).map(
      ([id, totals]) => [id, totalsOf(totals)],
    ),
  );
  const { currency } = file.facts;
  return {
    currency: typeof currency === 'string' ? ` ${currency}` : '',
    deposits,
    total: totalsOf(file.facts['total']),
    byDeposit: file.facts['everyDeposit'] === true && !deposits.has(''),
  };
}

function differences(details: Report, summary: Report): readonly string[] {
  // Without ids, or with too many, only the files as a whole can be compared.
  if (!details.byDeposit || !summary.byDeposit)
    return compare('details and summary', details.total, summary.total, details.currency);
  const ids = new Set([...details.deposits.keys(), ...summary.deposits.keys()]);
  return [...ids].flatMap((id) => {
    const [inDetails, inSummary] = [details.deposits.get(id), summary.deposits.get(id)];
    const deposit = `deposit ${id.replaceAll(/[^\w.:-]/g, '?').slice(0, 64)}`;
    if (inDetails === undefined) return [`${deposit} is in the summary, but not in the details`];
    if (inSummary === undefined) return [`${deposit} is in the details, but not in the summary`];
    const both = `details and summary of ${deposit}`;
    return compare(both, inDetails, inSummary, details.currency);
  });
}

function compare(both: string, details: Totals, summary: Totals, currency: string): string[] {
  const amounts = Object.entries(AMOUNTS).flatMap(([key, word]) => {
    const [inDetails, inSummary] = [details[key] ?? 0n, summary[key] ?? 0n];
    if (inDetails === inSummary) return [];
    const difference = formatCents(inDetails - inSummary);
    return [`${word} ${formatCents(inDetails)} and ${formatCents(inSummary)} (${difference})`];
  });
  return amounts.length === 0 ? [] : [`${both} differ: ${amounts.join(', ')}${currency}`];
}

function totalsOf(value: unknown): Totals {
  const totals = isRecord(value) ? value : {};
  return Object.fromEntries(
    Object.keys(AMOUNTS).map((key) => {
      const cents = totals[key];
      return [key, typeof cents === 'string' && /^-?\d+$/.test(cents) ? BigInt(cents) : 0n];
    }),
  );
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
