import type { Clock } from '@octo/plugin-api';
import { TransferRate } from '../observe/transfer-rate.ts';
import type { AboutFile, RunEvent, RunReport } from '../pipeline/run-report.ts';
import { addTimes, type StepTotal } from '../pipeline/step-watch.ts';
import type { RunNotes, Taken } from './run-queue.ts';
import type { RunFile, RunProgress, RunTotals } from './runs.ts';

interface News {
  readonly event: string;
  readonly path?: string;
  readonly reason?: string;
}

/** Collects what happens in a run, between one writing down and the next. */
export class RunRecorder {
  readonly #clock: Clock;
  readonly #rate: TransferRate;
  readonly #began: number;
  #listed: number | undefined;
  #connectMs: number | undefined;
  #listMs = 0;
  #steps = new Map<string, StepTotal>();
  #news: News[] = [];
  #files: RunFile[] = [];
  #total: { readonly files: number; readonly bytes: number } | undefined;
  #filesDone = 0;
  #bytesRead = 0;
  #hasMoved = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#rate = new TransferRate(clock);
    this.#began = clock.monotonic();
  }

  add(event: RunEvent): void {
    this.#hasMoved = true;
    switch (event.event) {
      case 'connected':
      case 'sink-down':
      case 'started':
        return;
      case 'read':
        this.#bytesRead += event.bytes;
        this.#rate.add(event.bytes);
        return;
      case 'listed':
        this.#listed ??= this.#clock.monotonic();
        this.#connectMs ??= event.connectMs;
        this.#listMs += event.listMs ?? 0;
        // A run may look twice: what is done already is not to deliver any more.
        this.#total = {
          files: this.#filesDone + event.toDeliver,
          bytes: Math.round(this.#bytesRead) + event.bytes,
        };
        break;
      case 'delivered':
      case 'duplicate':
      case 'quarantined':
      case 'failed':
        this.#filesDone++;
        this.#files.push(fileOf(event));
        if (event.times !== undefined) this.#steps = addTimes(this.#steps, event.times);
        break;
    }
    this.#news.push(newsOf(event));
  }

  /** What came since the last time; `undefined` when nothing did. */
  taken(): RunNotes | undefined {
    if (!this.#hasMoved) return undefined;
    this.#hasMoved = false;
    const progress = this.#progress();
    const moved = progress === undefined ? [] : [{ event: 'progress' }];
    const notes = {
      news: [...this.#news, ...moved],
      files: this.#files,
      ...(progress !== undefined && { progress }),
    };
    this.#news = [];
    this.#files = [];
    return notes;
  }

  /** What was not done, which only the report says. */
  finished({ pending }: RunReport): void {
    for (const { path, reason } of pending) this.#files.push({ path, outcome: 'pending', reason });
    this.#hasMoved ||= pending.length > 0;
  }

  /** How long it took so far. */
  taking(): Taken {
    return { timings: this.#timings(), steps: [...this.#steps.values()] };
  }

  #timings(): Readonly<Record<string, number>> {
    const now = this.#clock.monotonic();
    const total = { total: Math.round(now - this.#began) };
    if (this.#listed === undefined) return total;
    return {
      ...(this.#connectMs !== undefined && { connect: this.#connectMs }),
      list: this.#listMs,
      deliver: Math.round(now - this.#listed),
      ...total,
    };
  }

  #progress(): RunProgress | undefined {
    if (this.#total === undefined) return undefined;
    const { files, bytes } = this.#total;
    const bytesPerSecond = Math.round(this.#rate.bytesPerSecond());
    const bytesRead = Math.round(this.#bytesRead);
    const left = bytes - bytesRead;
    const filesToDeliver = Math.max(files, this.#filesDone);
    const isGoingOn = left > 0 && bytesPerSecond > 0 && this.#filesDone < filesToDeliver;
    return {
      filesToDeliver,
      filesDone: this.#filesDone,
      bytesToRead: Math.max(bytes, bytesRead),
      bytesRead,
      bytesPerSecond,
      ...(isGoingOn && { secondsLeft: Math.ceil(left / bytesPerSecond) }),
    };
  }
}

export function totalsOf(report: RunReport): RunTotals {
  return {
    discovered: report.discovered,
    delivered: report.delivered.length,
    bytes: report.delivered.reduce((sum, { bytes }) => sum + bytes, 0),
    duplicates: report.duplicates.length,
    quarantined: report.quarantined.length,
    failed: report.failed.length,
    pending: report.pending.length,
  };
}

type FileEvent = Extract<RunEvent, { event: 'delivered' | 'duplicate' | 'quarantined' | 'failed' }>;

function fileOf(event: FileEvent): RunFile {
  const { path } = event;
  const known = aboutOf(event);
  if (event.event === 'delivered')
    return { path, ...known, outcome: 'delivered', key: event.key, bytes: event.bytes };
  return { path, ...known, outcome: event.event, ...reasonOf(event) };
}

function aboutOf({ delivery, times }: AboutFile): AboutFile {
  return { ...(delivery !== undefined && { delivery }), ...(times !== undefined && { times }) };
}

function newsOf(event: RunEvent): News {
  const path = 'path' in event && event.path !== '' ? { path: event.path } : {};
  return { event: event.event, ...path, ...reasonOf(event) };
}

function reasonOf(event: RunEvent): { readonly reason?: string } {
  if ('reason' in event) return { reason: event.reason };
  if ('error' in event) return { reason: event.error };
  if ('message' in event) return { reason: event.message };
  return event.event === 'duplicate' ? { reason: `of ${event.of}` } : {};
}
