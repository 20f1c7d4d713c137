import type { Logger } from '@octo/plugin-api';
import { escapeText } from '../observe/escape-text.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { formatClockTime } from './format-time.ts';
import type { Environment } from './environment.ts';
import { paintFor } from './paint.ts';
import { runLine } from './run-line.ts';
import { runHeadline } from './run-summary.ts';

/** What every line of a run names. */
export interface LoggedRun {
  readonly pipeline: string;
  /** Its id. */
  readonly run: string;
  /** Its trace: 32 hexadecimal digits. */
  readonly trace: string;
  /** The instances that it goes from and to. */
  readonly from: string;
  readonly to: string;
}

/** How the runs of a host that runs for long are written down. */
export interface EventLog {
  event(run: LoggedRun, event: RunEvent): void;
  finished(run: LoggedRun, report: RunReport, elapsedMs: number): void;
}

/**
 * For people: a line for each file, with time and pipeline. Runs that find nothing new are told once, not every time;
 * `hint` is the command that explains a refused file.
 */
export function textEventLog(
  { stderr, env, clock }: Environment,
  hint: (path: string) => string,
): EventLog {
  const paint = paintFor(stderr, env);
  const idle = new Set<string>();
  const write = (pipeline: string, text: string) => {
    const time = formatClockTime(clock.now());
    stderr.write(`${time} ${paint('minor', escapeText(pipeline))} ${text}\n`);
  };
  return {
    event: ({ pipeline }, event) => {
      const line = isRoutine(event) ? undefined : runLine(event, paint);
      if (line !== undefined) write(pipeline, line);
    },
    finished: ({ pipeline }, report, elapsedMs) => {
      const nothing = isUneventful(report);
      if (!nothing || !idle.has(pipeline)) {
        write(pipeline, runHeadline(report, elapsedMs, paint).slice(pipeline.length + 2));
      }
      if (nothing) idle.add(pipeline);
      else idle.delete(pipeline);
      const [refused] = [...report.quarantined, ...report.failed];
      if (refused) write(pipeline, `why, and what to do: ${hint(escapeText(refused.path))}`);
    },
  };
}

/** What every run says, whether anything happened or not. */
function isRoutine(event: RunEvent): boolean {
  return event.event === 'connecting' || (event.event === 'listed' && event.toDeliver === 0);
}

function isUneventful({ delivered, duplicates, quarantined, failed }: RunReport): boolean {
  return delivered.length + duplicates.length + quarantined.length + failed.length === 0;
}

/** For programs: the same as fields. Refused files are errors: somebody must act. */
export function structuredEventLog(logger: Logger): EventLog {
  return {
    event: (run, told) => {
      const message = messages[told.event];
      if (message !== undefined)
        logger[message.level]({ ...namesOf(run, told), ...fieldsOf(told) }, message.text);
    },
    finished: (run, { pipeline: _, ...lists }, elapsedMs) => {
      const counts = Object.entries(lists).map(([name, list]) => [
        name,
        typeof list === 'number' ? list : list.length,
      ]);
      const fields = Object.fromEntries(counts) as Record<string, number>;
      logger.info({ ...namesOf(run), elapsedMs: Math.round(elapsedMs), ...fields }, 'run finished');
    },
  };
}

/** The instance that a line is about: what became visible is the sink's, the rest the vendor's. */
function namesOf({ from, to, ...names }: LoggedRun, told?: RunEvent) {
  return { ...names, instance: told?.event === 'delivered' ? to : from };
}

/** Where the time went stands in the run's record; a line says how much it was. */
function fieldsOf({ event: _, ...fields }: RunEvent): Readonly<Record<string, unknown>> {
  if (!('times' in fields)) return fields;
  const { times, ...rest } = fields;
  return { ...rest, elapsedMs: Math.round(times?.ms ?? 0) };
}

interface Message {
  readonly level: keyof Logger;
  readonly text: string;
}

/** `read` is for progress lines only: it comes many times a second. */
const messages: Readonly<Record<RunEvent['event'], Message | undefined>> = {
  connecting: { level: 'debug', text: 'connecting' },
  connected: { level: 'debug', text: 'connected' },
  listed: { level: 'info', text: 'vendor listed' },
  started: { level: 'debug', text: 'file started' },
  read: undefined,
  delivered: { level: 'info', text: 'file delivered' },
  duplicate: { level: 'info', text: 'file is a duplicate' },
  quarantined: { level: 'error', text: 'file quarantined' },
  failed: { level: 'warn', text: 'file failed' },
  retrying: { level: 'info', text: 'trying again' },
  waiting: { level: 'info', text: 'waiting' },
  warning: { level: 'warn', text: 'file delivered with a warning' },
  'sink-down': { level: 'debug', text: 'the sink could not be reached' },
};
