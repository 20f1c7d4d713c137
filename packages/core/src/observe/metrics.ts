import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Names that a label may have; whatever comes after them is counted as `other`. */
const MOST_NAMES = 200;

/** What the host counts, for Prometheus. A registry of its own: two hosts in one process do not meet. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #names = new Map<string, Set<string>>();
  readonly #runs = this.#counter('octo_runs_total', 'Runs that ended', ['pipeline', 'state']);
  readonly #files = this.#counter('octo_files_total', 'Files by what became of them', [
    'pipeline',
    'outcome',
  ]);
  readonly #bytes = this.#counter('octo_bytes_read_total', 'Bytes read from vendors', ['pipeline']);
  readonly #retries = this.#counter('octo_retries_total', 'Operations that were tried again', [
    'pipeline',
  ]);
  readonly #breakers = this.#counter('octo_breaker_changes_total', 'Changes of circuit breakers', [
    'instance',
    'state',
  ]);
  readonly #reloads = this.#counter('octo_reloads_total', 'Looks at a changed manifest', [
    'outcome',
  ]);
  readonly #steps = this.#histogram(
    'octo_step_seconds',
    'How long the parts of a run took',
    ['pipeline', 'step'],
    [0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200],
  );
  readonly #requests = this.#histogram(
    'octo_http_request_seconds',
    'Requests to the API',
    ['method', 'route', 'status'],
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
  );
  readonly #depth = new Gauge({
    name: 'octo_queue_depth',
    help: 'Runs that wait or go on',
    labelNames: ['pipeline', 'state'],
    registers: [this.#registry],
  });

  constructor() {
    // Memory, processor time, and the delay of the event loop.
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  runEnded(pipeline: string, state: 'succeeded' | 'failed' | 'cancelled' | 'quarantined'): void {
    this.#runs.inc({ pipeline: this.#bounded('pipeline', pipeline), state });
  }

  file(pipeline: string, outcome: 'delivered' | 'duplicate' | 'quarantined' | 'failed'): void {
    this.#files.inc({ pipeline: this.#bounded('pipeline', pipeline), outcome });
  }

  read(pipeline: string, bytes: number): void {
    this.#bytes.inc({ pipeline: this.#bounded('pipeline', pipeline) }, bytes);
  }

  retried(pipeline: string): void {
    this.#retries.inc({ pipeline: this.#bounded('pipeline', pipeline) });
  }

  breaker(instance: string, state: 'closed' | 'open' | 'half-open'): void {
    this.#breakers.inc({ instance: this.#bounded('instance', instance), state });
  }

  reloaded(outcome: 'applied' | 'refused'): void {
    this.#reloads.inc({ outcome });
  }

  step(pipeline: string, step: string, ms: number): void {
    const labels = {
      pipeline: this.#bounded('pipeline', pipeline),
      step: this.#bounded('step', step),
    };
    this.#steps.observe(labels, ms / 1000);
  }

  /** @param route as it was registered, never the path that was asked for */
  request(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route: this.#bounded('route', route), status }, ms / 1000);
  }

  depth(of: ReadonlyMap<string, { readonly queued: number; readonly running: number }>): void {
    this.#depth.reset();
    for (const [name, { queued, running }] of of) {
      const pipeline = this.#bounded('pipeline', name);
      this.#depth.inc({ pipeline, state: 'queued' }, queued);
      this.#depth.inc({ pipeline, state: 'running' }, running);
    }
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    buckets: number[],
  ): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  #bounded(label: string, name: string): string {
    const known = this.#names.get(label) ?? new Set();
    this.#names.set(label, known);
    if (known.has(name)) return name;
    if (known.size >= MOST_NAMES) return 'other';
    known.add(name);
    return name;
  }
}
