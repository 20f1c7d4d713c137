import { escapeText } from '../observe/escape-text.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import { formatBytes } from './format-bytes.ts';
import { formatDuration } from './format-duration.ts';
import type { Paint } from './paint.ts';
import { count } from './run-line.ts';

export interface SummaryOptions {
  readonly elapsedMs: number;
  readonly paint: Paint;
  /** A command line of this program that keeps the manifest and state in use: `hint(['files', 'show', 'a.csv'])`. */
  readonly hint: (words: readonly string[]) => string;
}

/** More of one sort than this are counted, not named. */
const mostNamed = 10;

/** The last words of a run to a person: what was delivered, what was not and why, what to do next. */
export function runSummary(report: RunReport, options: SummaryOptions): string[] {
  return [
    '',
    runHeadline(report, options.elapsedMs, options.paint),
    ...refusals(report, options),
    ...failures(report, options),
    ...pending(report, options),
    ...nextSteps(report, options),
  ];
}

/** One line about a run: `affirm: 5 delivered (12.3 MB), 1 refused, in 3.2 s`. */
export function runHeadline(report: RunReport, elapsedMs: number, paint: Paint): string {
  const { delivered, duplicates, quarantined, failed, pending } = report;
  const bytes = delivered.reduce((sum, file) => sum + file.bytes, 0);
  const parts = [
    delivered.length > 0 ? `${delivered.length} delivered (${formatBytes(bytes)})` : '',
    duplicates.length > 0 ? count(duplicates.length, 'duplicate') : '',
    quarantined.length > 0 ? paint('bad', `${quarantined.length} refused`) : '',
    failed.length > 0 ? paint('bad', `${failed.length} failed`) : '',
    pending.length > 0 ? `${pending.length} left for later` : '',
  ].filter((part) => part !== '');
  const outcome = parts.length > 0 ? parts.join(', ') : 'nothing new';
  return `${paint('strong', report.pipeline)}: ${outcome}, in ${formatDuration(elapsedMs)}`;
}

function refusals({ quarantined }: RunReport, options: SummaryOptions): string[] {
  const lines = quarantined.map(({ path, reason }) => ({ path, why: reason }));
  return section('Refused: set aside, nothing of it is visible at the sink', lines, options);
}

function failures({ failed }: RunReport, options: SummaryOptions): string[] {
  const lines = failed.map(({ path, error }) => ({ path, why: error }));
  return section('Failed: the next run tries again', lines, options);
}

function pending(report: RunReport, options: SummaryOptions): string[] {
  const lines = report.pending.map(({ path, reason }) => ({ path, why: reason }));
  return section('Left for a later run', lines, options);
}

function section(
  title: string,
  lines: readonly { readonly path: string; readonly why: string }[],
  { paint }: SummaryOptions,
): string[] {
  if (lines.length === 0) return [];
  const named = lines.slice(0, mostNamed);
  return [
    '',
    `${title}:`,
    ...named.map(({ path, why }) => `  ${escapeText(path)}: ${paint('minor', escapeText(why))}`),
    ...(lines.length > mostNamed ? [`  … and ${lines.length - mostNamed} more`] : []),
  ];
}

function nextSteps({ quarantined, failed }: RunReport, { hint }: SummaryOptions): string[] {
  const [worst] = [...quarantined, ...failed];
  if (worst === undefined) return [];
  const shown = escapeText(worst.path);
  const steps = [[hint(['files', 'show', shown]), 'what happened to it, run by run']];
  if (quarantined[0]) {
    steps.push([hint(['files', 'release', escapeText(quarantined[0].path)]), 'try it once more']);
  }
  if (quarantined.length + failed.length > mostNamed) {
    steps.push([hint(['files', '--only', 'quarantined']), 'all that were refused']);
  }
  const width = Math.max(...steps.map(([command = '']) => command.length));
  return ['', 'Next:', ...steps.map(([command = '', why]) => `  ${command.padEnd(width)}  ${why}`)];
}
