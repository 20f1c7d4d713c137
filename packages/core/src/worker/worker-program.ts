import type { Clock, Diagnosis, VisibleObject } from '@octo/plugin-api';
import type { InProcessHost } from '../host/in-process-host.ts';
import { egressRules } from '../egress/egress-rules.ts';
import { guardSockets } from '../egress/guard-sockets.ts';
import { toldRules } from '../egress/told-rules.ts';
import { manifestFrom } from '../manifest/excerpt.ts';
import type { PipelineConfig } from '../manifest/manifest.ts';
import { type OpenedInstance, WIRE_VERSION, type WorkerBrief } from '../wire/brief.ts';
import { Channel } from '../wire/channel.ts';
import type { Narrowing } from '../pipeline/run-pipeline.ts';
import type { Frames } from '../wire/frames.ts';
import { bareObject, partsOf, type SentDiagnosis } from '../wire/run-shapes.ts';
import { sendError } from '../wire/sent-error.ts';
import { EventStream } from './event-stream.ts';
import { RemoteLedger } from './remote-ledger.ts';
import { remoteLogger } from './remote-logger.ts';

const BEAT_MS = 1000;
/** The host asks for runs, health and the like, each once. */
const QUESTIONS_AT_ONCE = 1024;

type Args = readonly unknown[];

/** Each question loads the code that it needs: a process that only looks at a plugin is soon gone. */
const inspection = () => import('./inspect.ts');

/** One side of the channel: opens what the brief says, runs it when the host asks, and beats so that the host sees it live. */
export class WorkerProgram {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #diagnoses = new Map<string, AsyncIterator<Diagnosis>>();
  #host: InProcessHost | undefined;
  #spoolFolder = '';

  constructor(frames: Frames, clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.#channel = new Channel(frames, {
      mostAtOnce: QUESTIONS_AT_ONCE,
      hears: {},
      answers: {
        describe: async ([use, entry]) =>
          (await inspection()).describe(use as string, entry as string),
        inspect: async ([excerpt, entry]) =>
          (await inspection()).inspectPlugin(
            manifestFrom(excerpt as never),
            entry as string,
            clock,
          ),
        'inspect-steps': async ([excerpt, pipeline]) =>
          (await import('./inspect-steps.ts')).inspectSteps(
            manifestFrom(excerpt as never),
            pipeline as string,
          ),
        open: ([brief], signal) => this.#open(brief as WorkerBrief, signal),
        run: (args, signal) => this.#run(args, signal),
        health: ([id], signal) => this.#instance(id).health(signal),
        diagnose: ([id], signal) => this.#diagnose(id as string, signal),
        head: ([id, key], signal) => this.#head(id, key as string, signal),
        secret: ([id, name], signal) => this.#secret(id, name as string, signal),
        'diagnose-end': ([id]) => this.#endDiagnosis(id as string),
        close: () => this.#close(),
      },
    });
    this.#channel.tell('hello', { version: WIRE_VERSION, pid: process.pid });
    void this.#beat();
  }

  get ended(): Promise<void> {
    return this.#channel.ended;
  }

  /** Something was thrown where nobody catches: says so, and ends. */
  fail(error: unknown): void {
    this.#channel.tell('failed', sendError(error));
    this.#channel.end();
    void this.#leave();
  }

  /** The stream must not keep alive what is broken. */
  async #leave(): Promise<void> {
    await this.#clock.sleep(BEAT_MS);
    process.exit(1);
  }

  async #beat(): Promise<void> {
    for (;;) {
      this.#channel.tell('beat');
      await this.#clock.sleep(BEAT_MS);
    }
  }

  async #open(brief: WorkerBrief, signal: AbortSignal): Promise<readonly OpenedInstance[]> {
    this.#spoolFolder = brief.spoolFolder;
    guardSockets(toldRules(egressRules(brief.excerpt.plugins), (reason) => this.#refused(reason)));
    const [{ InProcessHost }, { loadEntry }, { stepKinds }] = await Promise.all([
      import('../host/in-process-host.ts'),
      import('../host/load-plugin.ts'),
      import('../pipeline/steps/index.ts'),
    ]);
    this.#host = await InProcessHost.create(manifestFrom(brief.excerpt), {
      logger: remoteLogger(() => this.#channel, ''),
      clock: this.#clock,
      stateFolder: brief.stateFolder,
      stepKinds,
      disposeDeadlineMs: brief.disposeDeadlineMs,
      loadPlugin: (use) => loadEntry(use, brief.entries.get(use)!),
      pace: async (id) => Number(await this.#channel.ask('pace', [id])),
      syncToDisk: async (path) => void (await this.#channel.ask('sync', [path])),
    });
    await this.#host.start(signal);
    return [...this.#host.instances.values()].map(({ id, definition, plugin, state }) => ({
      id,
      offers: {
        health: typeof plugin.health === 'function',
        diagnose: typeof plugin.diagnose === 'function',
        get: definition.kind === 'secrets',
        head: definition.kind === 'sink',
      },
      ...('place' in plugin && state.state === 'started' && { place: plugin.place }),
      ...(state.state === 'failed' && { failure: sendError(state.cause) }),
    }));
  }

  /** In the host's log, whether or not the plugin says anything of it. */
  #refused(reason: string): void {
    remoteLogger(() => this.#channel, '').warn({ reason }, 'connection refused');
  }

  async #run([run, config, only]: Args, signal: AbortSignal): Promise<unknown> {
    const name = run as string;
    const pipeline = { ...this.#opened().pipeline((config as PipelineConfig).id), config };
    const { runPipeline } = await import('../pipeline/run-pipeline.ts');
    const events = new EventStream(
      (event) => this.#channel.tell('event', name, event),
      this.#clock,
    );
    const report = await runPipeline(
      pipeline as typeof pipeline & { config: PipelineConfig },
      {
        ledger: new RemoteLedger((call, args) => this.#channel.ask('ledger', [name, call, args])),
        clock: this.#clock,
        random: this.#random,
        logger: remoteLogger(() => this.#channel, name),
        spoolFolder: this.#spoolFolder,
        onEvent: events.add,
        only: only as Narrowing,
      },
      signal,
    );
    events.flush();
    for (const part of partsOf(report)) this.#channel.tell('report', name, part);
    return { pipeline: report.pipeline, discovered: report.discovered };
  }

  /** The next step; `undefined` when there is none. */
  async #diagnose(id: string, signal: AbortSignal): Promise<SentDiagnosis | undefined> {
    const known = this.#diagnoses.get(id);
    const steps = known ?? this.#instance(id).plugin.diagnose?.(signal)[Symbol.asyncIterator]();
    if (steps === undefined) return undefined;
    this.#diagnoses.set(id, steps);
    const { done, value } = await steps.next();
    if (done === true) {
      this.#diagnoses.delete(id);
      return undefined;
    }
    const { step, outcome, detail, remedy, error } = value;
    return {
      step,
      outcome,
      detail,
      ...(remedy !== undefined && { remedy }),
      ...(error !== undefined && { error: sendError(error) }),
    };
  }

  async #secret(id: unknown, name: string, signal: AbortSignal): Promise<string> {
    const { plugin } = this.#instance(id);
    if (!('get' in plugin)) throw new Error('the plugin is no store of secrets');
    return await plugin.get(name, signal);
  }

  async #head(id: unknown, key: string, signal: AbortSignal): Promise<VisibleObject | undefined> {
    const { plugin } = this.#instance(id);
    if (!('head' in plugin)) throw new Error('the plugin is no sink');
    const object = await plugin.head(key, signal);
    return object && bareObject(object);
  }

  async #endDiagnosis(id: string): Promise<void> {
    const steps = this.#diagnoses.get(id);
    this.#diagnoses.delete(id);
    await steps?.return?.();
  }

  async #close(): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]();
  }

  #instance(id: unknown) {
    const instance = this.#opened().instances.get(id as string);
    if (instance === undefined) throw new Error('the worker was not opened with this plugin');
    return instance;
  }

  #opened(): InProcessHost {
    if (this.#host === undefined) throw new Error('the worker was not opened');
    return this.#host;
  }
}
