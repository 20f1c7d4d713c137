import type { Inspection } from '@octo/plugin-api';
import { CsvInspection } from './csv-inspection.ts';
import { DetailsRules } from './details-rules.ts';
import { SummaryRules } from './summary-rules.ts';

/** The inspection for a kind of settlement report; `undefined` for files of which nothing is promised. */
export function inspectSettlement(kind: string | undefined): Inspection | undefined {
  if (kind === 'details') return new CsvInspection(new DetailsRules());
  if (kind === 'summary') return new CsvInspection(new SummaryRules());
  return undefined;
}
