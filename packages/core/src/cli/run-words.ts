import type { RunFile, RunProgress, RunRecord, RunTotals } from '../jobs/runs.ts';
import { escapeText } from '../observe/escape-text.ts';
import { formatBytes } from './format-bytes.ts';
import { formatDuration } from './format-duration.ts';
import { formatTime } from './format-time.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { padText } from './text-width.ts';

/** What a run comes to, in one cell of a table. */
export function runOutcome({ error, progress, totals, state, cancelledBy }: RunRecord): string {
  if (state === 'RUNNING' && progress !== undefined) return progressWords(progress);
  if (error !== undefined) return escapeText(error.message);
  if (totals !== undefined) return totalsWords(totals);
  return cancelledBy === undefined ? '' : `by ${escapeText(cancelledBy)}`;
}

/** The state and how it is meant, for colours. */
export function runStateMeaning({ state }: RunRecord): 'good' | 'bad' | 'minor' {
  if (state === 'SUCCEEDED') return 'good';
  return state === 'FAILED' || state === 'QUARANTINED' ? 'bad' : 'minor';
}

/** Everything about one run, for people. */
export function runStory(run: RunRecord, files: readonly RunFile[], paint: Paint): string[] {
  const head = `${paint('strong', run.id)}  ${paint(runStateMeaning(run), run.state.toLowerCase())}`;
  const lines = facts(run).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${paint('minor', padText(name, 12))}  ${value}`],
  );
  if (files.length === 0) return [head, ...lines];
  const rows = files.map(({ outcome, path, bytes, key, reason, times }) => [
    outcome,
    escapeText(path),
    bytes === undefined ? '' : formatBytes(bytes),
    times === undefined ? '' : formatDuration(times.ms),
    escapeText(reason ?? key ?? ''),
  ]);
  const heads = ['outcome', 'file', 'size', 'took', 'key or reason'];
  return [head, ...lines, ...stepLines(run), '', ...table(heads, rows)];
}

/** Where the time of the files went. */
function stepLines({ steps = [] }: RunRecord): string[] {
  if (steps.length === 0) return [];
  const rows = steps.map(({ step, ms, bytesIn, bytesOut }) => [
    step,
    formatDuration(ms),
    bytesIn + bytesOut === 0 ? '' : formatBytes(bytesIn),
    bytesIn + bytesOut === 0 ? '' : formatBytes(bytesOut),
  ]);
  return ['', ...table(['step', 'took', 'in', 'out'], rows)];
}

function facts(run: RunRecord): (readonly [string, string | undefined])[] {
  const { request, timings, totals, progress, error } = run;
  return [
    ['pipeline', request.pipeline],
    ['asked for by', `${escapeText(request.by)} (${request.trigger})`],
    ['since', timeWords(request.since)],
    ['path', request.path && escapeText(request.path)],
    ['priority', request.priority ? String(request.priority) : undefined],
    ['asked at', timeWords(run.requestedAt)],
    ['began', timeWords(run.startedAt)],
    ['ended', timeWords(run.endedAt)],
    ['not before', timeWords(run.notBefore)],
    ['host', run.host],
    ['attempts', String(run.attempt)],
    ['took', timings && timingsWords(timings)],
    ['progress', progress && progressWords(progress)],
    ['totals', totals && totalsWords(totals)],
    ['cancelled by', run.cancelledBy && escapeText(run.cancelledBy)],
    ['why', error && `${escapeText(error.message)} (${error.code})`],
  ];
}

function timeWords(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${formatTime(new Date(ms))} UTC`;
}

function progressWords(progress: RunProgress): string {
  const { filesDone, filesToDeliver, bytesRead, bytesPerSecond, secondsLeft } = progress;
  const left = secondsLeft === undefined ? '' : `, ${formatDuration(secondsLeft * 1000)} left`;
  return `${filesDone}/${filesToDeliver} files, ${formatBytes(bytesRead)}, ${formatBytes(bytesPerSecond)}/s${left}`;
}

function totalsWords(totals: RunTotals): string {
  const { delivered, bytes, ...others } = totals;
  const more = (['duplicates', 'quarantined', 'failed', 'pending'] as const)
    .filter((name) => others[name] > 0)
    .map((name) => `, ${others[name]} ${name}`);
  return `${delivered} delivered (${formatBytes(bytes)})${more.join('')}`;
}

function timingsWords(timings: Readonly<Record<string, number>>): string | undefined {
  const parts = Object.entries(timings).map(([name, ms]) => `${name} ${formatDuration(ms)}`);
  return parts.length === 0 ? undefined : parts.join(', ');
}
