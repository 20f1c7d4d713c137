import type {
  Clock,
  Kind,
  Kinds,
  Lifecycle,
  PluginDefinition,
  SecretStore,
  Sink,
} from '@octo/plugin-api';
import type { InstanceConfig } from '../manifest/manifest.ts';
import { describeError } from '../observe/describe-error.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { PluginDescription } from '../wire/brief.ts';
import type { LoadedInstance } from './load-instances.ts';

/** Where an instance is in its life. It is never started again: the host makes a new one. */
export type InstanceState =
  | { readonly state: 'created' }
  | { readonly state: 'started' }
  | { readonly state: 'failed'; readonly reason: string; readonly cause: unknown }
  | { readonly state: 'disposed' };

/** What a host itself may ask of a plugin; secrets only of a store of them, what lies at a key only of a sink. */
export type Asked = Pick<Lifecycle, 'health' | 'diagnose'> &
  Partial<Pick<SecretStore, 'get'> & Pick<Sink, 'head' | 'place'>>;

/** One configured plugin. */
export interface Instance {
  readonly id: string;
  readonly config: InstanceConfig;
  readonly definition: PluginDescription;
  /** What can be asked of it while it lives. */
  readonly plugin: Asked;
  readonly state: InstanceState;
  /** @throws whatever the plugin says, or PluginError `network` after `policy.timeoutMs` */
  health(signal: AbortSignal): Promise<void>;
}

/** An instance whose life its host leads. */
export class LivingInstance implements Instance {
  readonly id: string;
  readonly config: InstanceConfig;
  readonly definition: PluginDefinition;
  readonly plugin: Kinds[Kind];
  /** What its schema marks secret, by pointer into the manifest. */
  readonly secrets: LoadedInstance['secrets'];
  /** Absolute; only of one that asked for it. */
  readonly stateFolder: string | undefined;
  readonly #clock: Clock;
  #state: InstanceState = { state: 'created' };

  constructor(
    { config, definition, secrets }: Pick<LoadedInstance, 'config' | 'definition' | 'secrets'>,
    plugin: Kinds[Kind],
    stateFolder: string | undefined,
    clock: Clock,
  ) {
    this.id = config.id;
    this.config = config;
    this.definition = definition;
    this.plugin = plugin;
    this.secrets = secrets;
    this.stateFolder = stateFolder;
    this.#clock = clock;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** Prepares, then starts the plugin. A failure becomes the state; rejects only with the signal's reason. */
  async start(prepare: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const what = `start of plugin '${this.id}'`;
    try {
      await withDeadline(what, this.config.policy.timeoutMs, this.#clock, signal, async (inner) => {
        await prepare();
        await this.plugin.start?.(inner);
      });
      this.#state = { state: 'started' };
    } catch (cause) {
      signal.throwIfAborted();
      this.#state = { state: 'failed', reason: describeError(cause), cause };
    }
  }

  async health(signal: AbortSignal): Promise<void> {
    const what = `health of plugin '${this.id}'`;
    await withDeadline(what, this.config.policy.timeoutMs, this.#clock, signal, async (inner) =>
      this.plugin.health?.(inner),
    );
  }

  /** Closes the plugin. @throws whatever it says, or PluginError `network` at the deadline; it counts as closed then */
  async dispose(deadlineMs: number): Promise<void> {
    this.#state = { state: 'disposed' };
    const never = new AbortController().signal;
    const what = `closing of plugin '${this.id}'`;
    await withDeadline(what, deadlineMs, this.#clock, never, async () =>
      this.plugin[Symbol.asyncDispose]?.(),
    );
  }
}

const NEEDED: Readonly<Record<Kind, Readonly<Record<string, 'function' | 'number' | 'string'>>>> = {
  provider: { settleMs: 'number', connect: 'function' },
  sink: {
    place: 'string',
    commits: 'string',
    completeGraceMs: 'number',
    smallBytes: 'number',
    stage: 'function',
    abort: 'function',
    head: 'function',
  },
  secrets: { get: 'function' },
};

const WORDS: Readonly<Record<Kind, string>> = {
  provider: 'provider',
  sink: 'sink',
  secrets: 'store of secrets',
};

/** What `create` returned, if it is of its kind; else what it lacks, in words that follow the plugin's name. */
export function contractProblem(kind: Kind, made: unknown): string | undefined {
  if (typeof made !== 'object' || made === null) {
    const what = made === undefined || made === null ? 'nothing' : `a ${typeof made}`;
    return `made ${what} where a ${WORDS[kind]} is expected`;
  }
  const fields = made as Readonly<Record<string, unknown>>;
  if (typeof fields.then === 'function') {
    return `has an asynchronous create; what waits belongs into 'start'`;
  }
  const lacking = Object.entries(NEEDED[kind]).find(([name, type]) => typeof fields[name] !== type);
  return lacking === undefined
    ? undefined
    : `made a ${WORDS[kind]} without a ${lacking[1]} '${lacking[0]}'`;
}
