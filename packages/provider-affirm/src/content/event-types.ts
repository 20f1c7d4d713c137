import { ByteKeys } from './byte-keys.ts';
import type { CsvRecords } from './csv-records.ts';

/** Counts the events of a details report by type. Types that are not known pass with one warning each. */
export class EventTypes {
  readonly #counts = new ByteKeys(MAX_TYPES, () => ({ count: 0 }));
  readonly #others = { count: 0 };

  see(record: CsvRecords, place: number): void {
    const [start, end] = [record.starts[place] ?? 0, record.ends[place] ?? 0];
    (this.#counts.get(record.bytes, start, end) ?? this.#others).count += 1;
  }

  /** By normalised type: what the API calls `loan_capture` is `loan_captured` in a CSV file. */
  counts(): { readonly [type: string]: number } {
    const counts = new Map<string, number>();
    for (const [raw, { count }] of this.#counts.entries()) {
      const type = KNOWN.get(raw) ?? printable(raw);
      counts.set(type, (counts.get(type) ?? 0) + count);
    }
    if (this.#others.count > 0) counts.set('(others)', this.#others.count);
    return Object.fromEntries(counts);
  }

  warnings(): string[] {
    const unknown = [...this.#counts.entries()].filter(([raw]) => !KNOWN.has(raw));
    const warnings = unknown
      .slice(0, NAMED_TYPES)
      .map(([raw, { count }]) => `unknown event_type '${printable(raw)}' in ${count} of the rows`);
    const unnamed = unknown.length - warnings.length;
    return unnamed > 0 ? [...warnings, `and ${unnamed} more unknown event types`] : warnings;
  }
}

/** affirm.com names these in its settlement report guide; API spellings map to those of the CSV. */
const KNOWN = new Map<string, string>([
  ...[
    'loan_captured',
    'loan_refunded',
    'split_capture',
    'partial_void',
    'refund_voided',
    'dispute_opened',
    'dispute_resolved',
    'merchant_fee',
    'fee_adjustment',
    'vcn_balance_adjustment',
    'vcn_balance_fee_adjustment',
  ].map((type) => [type, type] as const),
  ['loan_capture', 'loan_captured'],
  ['loan_refund', 'loan_refunded'],
  ['split_captured', 'split_capture'],
]);

const MAX_TYPES = 64;
const NAMED_TYPES = 5;

function printable(raw: string): string {
  return raw.replaceAll(/[^\w .:-]/g, '?').slice(0, 40);
}
