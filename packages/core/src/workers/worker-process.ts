import type { Clock, Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import { describeError } from '../observe/describe-error.ts';
import { endsWithin } from '../resilience/ends-within.ts';
import { hello, WIRE_VERSION } from '../wire/brief.ts';
import { type Answer, Channel, ChannelEnded, type Hear } from '../wire/channel.ts';
import { Frames } from '../wire/frames.ts';
import { receivedError, sentError } from '../wire/sent-error.ts';
import { launch, type Launched, type LaunchOptions } from './launch.ts';
import { LogGate } from './log-gate.ts';
import { privateMemory } from './private-memory.ts';
import type { WorkerLimits } from './worker-limits.ts';

export interface WorkerProcessOptions extends LaunchOptions {
  readonly limits: WorkerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loggerOf: (run: string) => Logger;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly hears: Readonly<Record<string, Hear>>;
}

/** The longest message that a worker may write. Bytes. */
const LONGEST_FRAME = 1024 * 1024;
/** Questions of a worker that are answered at the same time. */
const QUESTIONS_AT_ONCE = 256;
/** Seconds in a row in which a worker may write more than is read. */
const MOST_PAUSES = 10;

/**
 * One process with plugins in it: started, watched, and ended. It is not believed and not trusted to be alive: it must beat,
 * stay within its memory, and write what is understood; else its whole process group is killed, with the reason.
 */
export class WorkerProcess implements AsyncDisposable {
  readonly #options: WorkerProcessOptions;
  readonly #launched: Launched;
  readonly #channel: Channel;
  readonly #logs: LogGate;
  readonly #greeted = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  #reason: string | undefined;
  #heardMs: number;
  #windowMs = 0;
  #windowBytes = 0;
  #isPaused = false;
  #pausedMs = 0;
  #pauses = 0;
  #wasClosed = false;
  #disposal: Promise<void> | undefined;

  constructor(options: WorkerProcessOptions) {
    const { clock, limits, logger, loggerOf, answers, hears } = options;
    this.#options = options;
    this.#heardMs = clock.monotonic();
    this.#launched = launch(options);
    this.#logs = new LogGate(clock, limits.logLines, logger, loggerOf);
    for (const output of this.#launched.output) this.#logs.follow(output);
    this.#channel = new Channel(new Frames(this.#launched.channel, LONGEST_FRAME), {
      mostAtOnce: QUESTIONS_AT_ONCE,
      pace: (bytes) => this.#pace(bytes),
      answers,
      hears: {
        hello: ([said]) => this.#greet(said),
        beat: () => void (this.#heardMs = clock.monotonic()),
        failed: ([error]) => this.#failed(error),
        log: (args) => this.#logs.hear(args),
        ...hears,
      },
    });
    this.#channel.ended.catch((error: unknown) =>
      this.kill(`broke the protocol between host and workers: ${describeError(error)}`),
    );
    this.#greeted.promise.catch(() => {});
    void this.#launched.ended.then((how) => this.#end(how));
    void this.#watch();
  }

  get pid(): number | undefined {
    return this.#launched.pid;
  }

  /** Resolves with the reason when the process is gone. */
  get ended(): Promise<string> {
    return this.#launched.ended.then((how) => this.#reason ?? how);
  }

  /** Whether it says nothing any more, as it has ended or is about to. */
  get isSilent(): boolean {
    return this.#channel.hasEnded;
  }

  /** Resolves when it is gone and all that it has said was heard. */
  get silent(): Promise<void> {
    return this.#channel.ended.catch(() => {}).then(async () => void (await this.ended));
  }

  /** Whether it ended because it was told to. */
  get wasClosed(): boolean {
    return this.#wasClosed;
  }

  /** Aborted when it has ended. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get hasEnded(): boolean {
    return this.#over.signal.aborted;
  }

  /** Resolves when it has said its first word. @throws OctoError `OCTO_WORKER_FAILED` */
  async ready(): Promise<void> {
    const { clock, limits } = this.#options;
    if (!(await endsWithin(this.#greeted.promise, limits.startMs, clock)))
      this.kill(`said nothing within ${limits.startMs} ms of its start`);
    await this.#greeted.promise;
  }

  /**
   * Asks the worker. Settles soon after the signal is aborted, whatever the worker does: what does not let go is killed.
   * @throws what the worker threw; OctoError `OCTO_WORKER_FAILED` when it ended or had to be
   */
  async ask(name: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const { clock, limits } = this.#options;
    const answered = new AbortController();
    const giveUp = async () => {
      await clock.sleep(limits.letGoMs, answered.signal);
      this.kill(`did not let go of '${name}' within ${limits.letGoMs} ms`);
    };
    const onAbort = () => void giveUp().catch(() => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#channel.ask(name, args, signal);
    } catch (error) {
      // Stopping is what the caller wanted; what the worker says about it is an echo.
      signal?.throwIfAborted();
      if (!(error instanceof ChannelEnded)) throw error;
      throw new OctoError('OCTO_WORKER_FAILED', await this.ended);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      answered.abort();
    }
  }

  /** Ends the process and everything that it has started; the first reason counts. */
  kill(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    void this.#terminate();
  }

  /** Asks it to close what it holds, then ends it. Never rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#close();
    return this.#disposal;
  }

  async #close(): Promise<void> {
    const { clock, limits } = this.#options;
    if (!this.hasEnded && this.#reason === undefined) {
      this.#wasClosed = true;
      const closed = this.#channel.ask('close', []).catch(() => {});
      await endsWithin(closed, limits.letGoMs, clock);
      this.#channel.end();
      await endsWithin(this.#launched.ended, limits.termMs, clock);
    }
    this.kill('was closed');
    await this.#launched.ended;
  }

  async #terminate(): Promise<void> {
    const { clock, limits } = this.#options;
    this.#launched.kill('SIGTERM');
    await endsWithin(this.#launched.ended, limits.termMs, clock);
    this.#launched.kill('SIGKILL');
  }

  #greet(said: unknown): void {
    const { version } = hello(said, 'hello');
    if (version === WIRE_VERSION) this.#greeted.resolve();
    else this.kill(`speaks version ${version} of the host's protocol, not ${WIRE_VERSION}`);
  }

  #failed(error: unknown): void {
    const { message } = receivedError(sentError(error, 'failed'));
    this.kill(`threw where nobody catches: ${message}`);
  }

  #end(how: string): void {
    this.#reason ??= how;
    // Whatever it has started and left behind.
    this.#launched.kill('SIGKILL');
    this.#logs.close();
    this.#over.abort();
    this.#greeted.reject(new OctoError('OCTO_WORKER_FAILED', this.#reason));
  }

  async #watch(): Promise<void> {
    const { clock, limits, memoryBytes } = this.#options;
    let lookedMs = clock.monotonic();
    while (!this.hasEnded && this.#reason === undefined) {
      await clock.sleep(limits.lookMs, this.#over.signal).catch(() => {});
      const now = clock.monotonic();
      // When this process itself was stopped, or is not reading, silence says nothing.
      if (now - lookedMs > limits.lookMs + limits.silentMs / 2 || this.#isPaused)
        this.#heardMs = now;
      lookedMs = now;
      if (now - this.#heardMs > limits.silentMs)
        this.kill(
          `gave no sign of life for ${limits.silentMs} ms: it blocks its event loop, or was stopped`,
        );
      const memory = this.pid === undefined ? undefined : privateMemory(this.pid);
      if (memory !== undefined && memory > memoryBytes)
        this.kill(`held ${inMiB(memory)} of memory; limits.maxMemory is ${inMiB(memoryBytes)}`);
    }
  }

  /** Reads no faster than the limit: what is written beyond it stays in the memory of the one who writes. */
  #pace(bytes: number): Promise<void> | undefined {
    const { clock, limits } = this.#options;
    const now = clock.monotonic();
    if (now - this.#windowMs >= 1000) {
      this.#windowMs = now;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    return this.#windowBytes > limits.messageBytes ? this.#pause(now) : undefined;
  }

  async #pause(now: number): Promise<void> {
    this.#isPaused = true;
    this.#pauses = now - this.#pausedMs < 2000 ? this.#pauses + 1 : 1;
    this.#pausedMs = now;
    if (this.#pauses > MOST_PAUSES) this.kill('floods its host with messages');
    const rest = Math.max(1, this.#windowMs + 1000 - now);
    await this.#options.clock.sleep(rest, this.#over.signal).catch(() => {});
    this.#isPaused = false;
  }
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
