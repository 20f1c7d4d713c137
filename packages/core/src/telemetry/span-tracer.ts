import {
  type Attributes,
  type Context,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace as spans,
  TraceFlags,
} from '@opentelemetry/api';
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { resourceFromAttributes } from '@opentelemetry/resources';

export interface SpanTracerOptions {
  readonly exporter: SpanExporter;
  /** What all spans are of: the service, its version, its host. */
  readonly resource: Attributes;
  /** Takes secrets out of every text. */
  readonly redact: (text: string) => string;
}

/** Spans that wait for a slow collector; what comes beyond them is lost, and nothing waits. */
const MOST_WAITING = 8192;
/** Longer texts are cut. Characters. */
const LONGEST_TEXT = 1024;

type Fields = Readonly<Record<string, string | number | undefined>>;

/** Makes spans whose times are known, of traces whose ids are known. */
export class SpanTracer {
  readonly #provider: TracerProvider;
  readonly #redact: (text: string) => string;
  #traceId: string | undefined;

  constructor({ exporter, resource, redact }: SpanTracerOptions) {
    const random = new RandomIdGenerator();
    this.#redact = redact;
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes(resource),
      spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: MOST_WAITING })],
      idGenerator: {
        generateTraceId: () => this.#traceId ?? random.generateTraceId(),
        generateSpanId: () => random.generateSpanId(),
      },
    });
  }

  /** The first span of a trace, or of our part of it. */
  root(
    name: string,
    atMs: number,
    traceId: string,
    parent: { readonly spanId: string; readonly isSampled: boolean } | undefined,
  ): Span {
    this.#traceId = traceId;
    try {
      return this.#tracer().startSpan(
        name,
        { startTime: timeOf(atMs) },
        contextOf(traceId, parent),
      );
    } finally {
      this.#traceId = undefined;
    }
  }

  child(parent: Span, name: string, atMs: number): Span {
    return this.#tracer().startSpan(
      name,
      { startTime: timeOf(atMs) },
      spans.setSpan(ROOT_CONTEXT, parent),
    );
  }

  /** Ends a span; `why` makes it an error. */
  end(span: Span, atMs: number, fields: Fields, why?: string): void {
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined) span.setAttribute(`octo.${name}`, this.#clean(value));
    if (why !== undefined)
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(this.#clean(why)) });
    span.end(timeOf(atMs));
  }

  /** Sends what waits; never rejects. */
  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => undefined);
  }

  #tracer() {
    return this.#provider.getTracer('octo-host');
  }

  #clean(value: string | number): string | number {
    return typeof value === 'string' ? this.#redact(value).slice(0, LONGEST_TEXT) : value;
  }
}

function contextOf(
  traceId: string,
  parent: { readonly spanId: string; readonly isSampled: boolean } | undefined,
): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const traceFlags = parent.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const remote = { traceId, spanId: parent.spanId, traceFlags, isRemote: true };
  return spans.setSpanContext(ROOT_CONTEXT, remote);
}

/** Seconds and nanoseconds: a plain number could be taken for a time since the process began. */
function timeOf(ms: number): HrTime {
  const whole = Math.floor(ms / 1000);
  return [whole, Math.round((ms - whole * 1000) * 1_000_000)];
}
