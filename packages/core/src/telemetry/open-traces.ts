import type { Clock, Logger } from '@octo/plugin-api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { endsWithin } from '../resilience/ends-within.ts';
import { SpanRun } from './span-run.ts';
import { SpanTracer } from './span-tracer.ts';
import { ToldExporter } from './told-exporter.ts';
import type { Traces } from './traces.ts';

export interface TracesOptions {
  /** Where spans are posted to, as OTLP over HTTP in JSON: the whole URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  readonly version: string;
  /** The name of this host. */
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
}

/** One try with its retries. Milliseconds. */
const SEND_MS = 5000;
/** What waits when the host ends has so long to leave. Milliseconds. */
const LEAVE_MS = 2000;

/** Traces over OTLP. Loads the SDK: nobody else should import this file statically. */
export function openTraces(options: TracesOptions): Traces {
  const { url, headers, service, version, host, clock, logger, redact } = options;
  const sending = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: SEND_MS });
  const resource = {
    'service.name': service,
    'service.version': version,
    'service.instance.id': host,
  };
  const tracer = new SpanTracer({ exporter: new ToldExporter(sending, logger), resource, redact });
  return {
    run: (about) => new SpanRun(tracer, clock, about),
    [Symbol.asyncDispose]: async () => void (await endsWithin(tracer.close(), LEAVE_MS, clock)),
  };
}
