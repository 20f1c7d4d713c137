import type { Logger } from '@octo/plugin-api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { describeError } from '../observe/describe-error.ts';

type Done = Parameters<SpanExporter['export']>[1];
/** `ExportResultCode.SUCCESS`, of a package that is not ours to import. */
const SUCCESS = 0;

/** An exporter whose failures are said once, until it works again. */
export class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  #isAway = false;

  constructor(exporter: SpanExporter, logger: Logger) {
    this.#exporter = exporter;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, (result) => {
      const code: number = result.code;
      if (code === SUCCESS) this.#arrived();
      else this.#lost(spans.length, result.error);
      done(result);
    });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
  }

  #arrived(): void {
    if (this.#isAway) this.#logger.info({}, 'traces arrive again');
    this.#isAway = false;
  }

  #lost(count: number, error: unknown): void {
    const fields = { spans: count, reason: error === undefined ? 'unknown' : describeError(error) };
    if (this.#isAway) this.#logger.debug(fields, 'traces are lost');
    else this.#logger.warn(fields, 'traces do not arrive; runs go on without');
    this.#isAway = true;
  }
}
