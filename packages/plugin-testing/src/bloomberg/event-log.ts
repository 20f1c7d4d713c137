/** Server-sent events: every delivery, kept for those who come back, sent to those who listen. */
import type { Clock } from '@octo/plugin-api';
import type { StreamConnection } from './rest-call.ts';
import type { SseFaults } from './rest-faults.ts';

/** What is told of a delivery, and under which name. */
export interface EventText {
  readonly name?: string;
  readonly data: string;
}

/** The two streams differ in what they tell of a delivery. */
export type EventForm = 'activity' | 'delivery';

interface LoggedEvent {
  readonly id: string;
  readonly texts: { readonly [form in EventForm]: EventText };
}

export interface EventLogOptions {
  readonly clock: Clock;
  readonly faults: SseFaults;
  /** 0: none. */
  readonly heartbeatMs: number;
  readonly closing: AbortSignal;
}

export class EventLog {
  readonly #options: EventLogOptions;
  readonly #events: LoggedEvent[] = [];
  readonly #streams = new Set<EventStream>();
  #watchers: { readonly count: number; readonly tell: () => void }[] = [];

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  publish(texts: LoggedEvent['texts']): void {
    const event = { id: `e${this.#events.length + 1}`, texts };
    this.#events.push(event);
    for (const stream of this.#streams) stream.send(event);
  }

  /**
   * Opens a stream on a connection. Without `lastEventId` it begins now; after one that is not known it begins with the
   * first event that is kept, because twice is better than never.
   */
  open(
    connection: StreamConnection,
    form: EventForm,
    { lastEventId, untilMs }: { readonly lastEventId?: string; readonly untilMs?: number },
  ): void {
    const stream = new EventStream(connection, form, this.#options);
    this.#streams.add(stream);
    connection.closed.addEventListener('abort', () => this.#streams.delete(stream));
    stream.begin(untilMs);
    const missed = lastEventId === undefined ? [] : this.#after(lastEventId);
    for (const event of missed) stream.send(event);
    this.#tellWatchers();
  }

  /** Resolves as soon as so many streams are open: the moment to publish. */
  async untilOpen(count: number): Promise<void> {
    if (this.#streams.size >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.push({ count, tell: resolve });
    await promise;
  }

  /** Cuts all open streams. */
  disconnect(): void {
    for (const stream of this.#streams) stream.cut();
  }

  #after(lastEventId: string): readonly LoggedEvent[] {
    return this.#events.slice(this.#events.findIndex(({ id }) => id === lastEventId) + 1);
  }

  #tellWatchers(): void {
    const satisfied = this.#watchers.filter(({ count }) => this.#streams.size >= count);
    this.#watchers = this.#watchers.filter((watcher) => !satisfied.includes(watcher));
    for (const { tell } of satisfied) tell();
  }
}

class EventStream {
  readonly #connection: StreamConnection;
  readonly #form: EventForm;
  readonly #options: EventLogOptions;
  #sent = 0;

  constructor(connection: StreamConnection, form: EventForm, options: EventLogOptions) {
    this.#connection = connection;
    this.#form = form;
    this.#options = options;
  }

  /** @param untilMs when the access token ends, and the stream with it */
  begin(untilMs: number | undefined): void {
    const { clock, faults, heartbeatMs } = this.#options;
    if (faults.retryMs !== undefined) this.#write([`retry: ${faults.retryMs}`]);
    if (heartbeatMs > 0) void this.#beat(heartbeatMs);
    if (untilMs === undefined) return;
    this.#sleep(untilMs - clock.now()).then(
      () => this.#connection.end(),
      () => {},
    );
  }

  send({ id, texts }: LoggedEvent): void {
    const { faults } = this.#options;
    if (faults.stall || this.#connection.closed.aborted) return;
    if (this.#sent >= (faults.disconnectAfter ?? Infinity)) return this.cut();
    const { name, data } = texts[this.#form];
    const lines = [`id: ${id}`, ...(name === undefined ? [] : [`event: ${name}`]), `data: ${data}`];
    for (let copy = 0; copy < faults.copies; copy += 1) this.#write(lines);
    this.#sent += 1;
    if (this.#sent >= (faults.disconnectAfter ?? Infinity)) this.cut();
  }

  /** What was written still arrives. */
  cut(): void {
    this.#connection.destroy();
  }

  async #beat(everyMs: number): Promise<void> {
    // Rejects when the stream or the server ends.
    const next = () =>
      this.#sleep(everyMs).then(
        () => true,
        () => false,
      );
    while (await next()) if (!this.#options.faults.stall) this.#write([':']);
  }

  async #sleep(ms: number): Promise<void> {
    const { clock, closing } = this.#options;
    await clock.sleep(ms, AbortSignal.any([closing, this.#connection.closed]));
  }

  #write(lines: readonly string[]): void {
    const { lineEnd } = this.#options.faults;
    this.#connection.write(lines.map((line) => `${line}${lineEnd}`).join('') + lineEnd);
  }
}
