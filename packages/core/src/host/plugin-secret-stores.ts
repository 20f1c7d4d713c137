import { type Clock, isPluginError, type PluginErrorType } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import { outlineOf } from '../manifest/outline.ts';
import type { SecretStores, StoredElsewhere } from '../manifest/secret-stores.ts';
import { describeError } from '../observe/describe-error.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { Host } from './host.ts';

export interface PluginSecretStoresOptions {
  /** A host of this manifest, which ends with the reading. */
  readonly open: (manifest: Manifest) => Promise<Host>;
  readonly clock: Clock;
  /** Ends a reading. */
  readonly signal: AbortSignal;
}

/** What is known of one store, as long as its settings and code stay the same. */
interface Known {
  readonly settings: string;
  readonly values: Map<string, string>;
  failures: number;
  /** On the monotonic clock: when it is to be asked again. */
  dueMs: number;
}

/** The manifest's default. */
const REFRESH_MS = 300_000;
/** A store that does not answer is asked again after so long, then after ever more, up to its refresh. */
const FIRST_RETRY_MS = 10_000;

/**
 * Asks plugins of kind `secrets`: each reading has a host of its own for the one instance, so that its code runs where
 * every plugin's does, and ends. Values are remembered, for a store that does not answer later.
 */
export class PluginSecretStores implements SecretStores {
  readonly #options: PluginSecretStoresOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: PluginSecretStoresOptions) {
    this.#options = options;
  }

  /** Whether it is time for another reading of the manifest, to ask a store again. Said once: one may not be named any more. */
  takeDue(): boolean {
    const now = this.#options.clock.monotonic();
    const due = [...this.#known.values()].filter(({ dueMs }) => now >= dueMs);
    for (const one of due) one.dueMs = Infinity;
    return due.length > 0;
  }

  async read(
    manifest: Manifest,
    instance: string,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, StoredElsewhere>> {
    const known = this.#knownOf(manifest, instance);
    const answers = await this.#ask(manifest, instance, names);
    const isClosed = [...answers.values()].some(({ state }) => state === 'closed');
    known.failures = isClosed ? known.failures + 1 : 0;
    const refreshMs = manifest.plugins.get(instance)?.policy.refreshMs ?? REFRESH_MS;
    const pauseMs = isClosed ? FIRST_RETRY_MS * 2 ** (known.failures - 1) : refreshMs;
    known.dueMs = this.#options.clock.monotonic() + Math.min(pauseMs, refreshMs);
    return new Map([...answers].map(([name, answer]) => [name, remembered(name, answer, known)]));
  }

  /** What other settings gave says nothing of these. */
  #knownOf(manifest: Manifest, instance: string): Known {
    const marks = outlineOf(manifest).plugins.get(instance) ?? [];
    const settings = JSON.stringify([...marks]);
    const before = this.#known.get(instance);
    if (before?.settings === settings) return before;
    const known = { settings, values: new Map(), failures: 0, dueMs: Infinity };
    this.#known.set(instance, known);
    return known;
  }

  async #ask(
    manifest: Manifest,
    instance: string,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, StoredElsewhere>> {
    const { open, signal } = this.#options;
    try {
      await using host = await open(manifest);
      await host.start(signal);
      const asking = names.map(
        async (name) => [name, await this.#get(host, instance, name)] as const,
      );
      return new Map(await Promise.all(asking));
    } catch (error) {
      signal.throwIfAborted();
      const answer = { state: 'closed', reason: describeError(error) } as const;
      return new Map(names.map((name) => [name, answer]));
    }
  }

  async #get(host: Host, id: string, name: string): Promise<StoredElsewhere> {
    const { clock, signal } = this.#options;
    const instance = host.instances.get(id)!;
    const { plugin, state, config, definition } = instance;
    if (state.state === 'failed') return refusal(state.cause, host.redact);
    if (definition.kind !== 'secrets')
      return { state: 'missing', reason: `plugin '${id}' is no store of secrets` };
    const what = `plugin '${id}', asked for a secret,`;
    try {
      const value = await withDeadline(
        what,
        config.policy.timeoutMs,
        clock,
        signal,
        async (inner) => await plugin.get!(name, inner),
      );
      return checked(value, id);
    } catch (error) {
      signal.throwIfAborted();
      return refusal(error, host.redact);
    }
  }
}

function checked(value: unknown, id: string): StoredElsewhere {
  return typeof value === 'string'
    ? { state: 'found', value }
    : { state: 'missing', reason: `plugin '${id}' gives something that is no text` };
}

/** What the words of a plugin mean for a secret; whatever is not named here may pass. */
const STATES: Partial<Readonly<Record<PluginErrorType, 'missing' | 'denied'>>> = {
  not_found: 'missing',
  validation: 'missing',
  auth: 'denied',
};

function refusal(error: unknown, redact: (text: string) => string): StoredElsewhere {
  const state = isPluginError(error) ? STATES[error.type] : undefined;
  return { state: state ?? 'closed', reason: redact(describeError(error)) };
}

function remembered(name: string, answer: StoredElsewhere, { values }: Known): StoredElsewhere {
  if (answer.state === 'found') values.set(name, answer.value);
  const last = values.get(name);
  if (answer.state !== 'closed' || last === undefined) return answer;
  return { state: 'found', value: last };
}
