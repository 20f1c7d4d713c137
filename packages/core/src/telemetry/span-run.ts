import type { Clock } from '@octo/plugin-api';
import type { Span } from '@opentelemetry/api';
import { parseTraceParent } from '../observe/trace-context.ts';
import type { AboutFile, RunEvent } from '../pipeline/run-report.ts';
import type { SpanTracer } from './span-tracer.ts';
import type { RunTrace, TracedRun } from './traces.ts';

type FileEnd = Extract<
  RunEvent,
  { readonly event: 'delivered' | 'duplicate' | 'quarantined' | 'failed' }
>;

/** The spans of one run. Workers measure and tell; spans are made here, when something has ended. */
export class SpanRun implements RunTrace {
  readonly #tracer: SpanTracer;
  readonly #clock: Clock;
  readonly #span: Span;
  readonly #about: TracedRun;
  #connectingMs: number;
  #isConnected = false;

  constructor(tracer: SpanTracer, clock: Clock, about: TracedRun) {
    this.#tracer = tracer;
    this.#clock = clock;
    this.#about = about;
    this.#connectingMs = clock.now();
    this.#span = tracer.root(
      'run',
      this.#connectingMs,
      about.trace,
      parseTraceParent(about.parent),
    );
  }

  event(event: RunEvent): void {
    switch (event.event) {
      case 'connecting':
        this.#connectingMs = this.#clock.now();
        return;
      case 'listed':
        this.#listed(event);
        return;
      case 'delivered':
      case 'duplicate':
      case 'quarantined':
      case 'failed':
        this.#file(event);
        return;
      default:
    }
  }

  ended(state: string, why?: string): void {
    const { id, pipeline, trigger, attempt } = this.#about;
    const fields = {
      'run.id': id,
      pipeline,
      'run.trigger': trigger,
      'run.attempt': attempt,
      'run.state': state,
    };
    this.#tracer.end(this.#span, this.#clock.now(), fields, why);
  }

  #listed({ connectMs, listMs, files }: Extract<RunEvent, { event: 'listed' }>): void {
    const now = this.#clock.now();
    if (connectMs !== undefined && !this.#isConnected) {
      this.#isConnected = true;
      const from = this.#connectingMs;
      this.#tracer.end(this.#tracer.child(this.#span, 'connect', from), from + connectMs, {});
    }
    if (listMs === undefined) return;
    const list = this.#tracer.child(this.#span, 'list', now - listMs);
    this.#tracer.end(list, now, { files });
  }

  #file(event: FileEnd): void {
    const now = this.#clock.now();
    const { path, delivery, times = NOT_TRIED } = event;
    const from = now - times.ms;
    const span = this.#tracer.child(this.#span, 'file', from);
    for (const { step, fromMs, toMs, ms, bytesIn, bytesOut } of times.steps) {
      const fields = { 'step.own_ms': ms, 'step.bytes_in': bytesIn, 'step.bytes_out': bytesOut };
      this.#tracer.end(this.#tracer.child(span, step, from + fromMs), from + toMs, fields);
    }
    const known = { 'file.path': path, 'file.outcome': event.event, 'file.delivery': delivery };
    const more =
      event.event === 'delivered' ? { 'file.key': event.key, 'file.bytes': event.bytes } : {};
    this.#tracer.end(span, now, { ...known, ...more }, whyOf(event));
  }
}

const NOT_TRIED: NonNullable<AboutFile['times']> = { ms: 0, steps: [] };

function whyOf(event: FileEnd): string | undefined {
  if (event.event === 'quarantined') return event.reason;
  return event.event === 'failed' ? event.error : undefined;
}
