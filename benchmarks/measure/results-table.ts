/** A case's results as a table in Markdown. Ratios are taken within a round, then spread over the rounds. */
import type { Measurement } from './measure.ts';
import type { Series } from './interleave.ts';
import { spreadOf } from './spread.ts';

const HEAD = [
  'contender',
  'wall s, median (min–max)',
  'CPU s',
  'peak PSS MB',
  'peak RSS MB',
  'octo is faster by, median (min–max)',
  'octo’s CPU is',
];

export function resultsTable([octo, ...peers]: readonly Series[]): string {
  if (octo === undefined) return '';
  const rows = [
    [...own(octo), '', ''],
    ...peers.map((peer) => [
      ...own(peer),
      `${ratios(peer, octo, wallOf)}×`,
      `${ratios(octo, peer, cpuOf)}×`,
    ]),
  ];
  return [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function own({ name, runs }: Series): readonly string[] {
  return [
    name.replaceAll('|', String.raw`\|`),
    text(runs.map(wallOf)),
    text(runs.map(cpuOf)),
    megabytes(runs, 'peakPss'),
    megabytes(runs, 'peakRss'),
  ];
}

function ratios(over: Series, under: Series, of: (run: Measurement) => number): string {
  const pairs = over.runs.flatMap((run, round) => {
    const other = under.runs[round];
    return other === undefined ? [] : [of(run) / of(other)];
  });
  return text(pairs);
}

function text(values: readonly number[]): string {
  const { min, median, max } = spreadOf(values);
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function megabytes(runs: readonly Measurement[], what: 'peakPss' | 'peakRss'): string {
  return (Math.max(...runs.map((run) => run[what])) / 1e6).toFixed(0);
}

function wallOf({ wallSeconds }: Measurement): number {
  return wallSeconds;
}

function cpuOf({ cpuSeconds }: Measurement): number {
  return cpuSeconds;
}
