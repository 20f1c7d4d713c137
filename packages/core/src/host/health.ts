import type { Clock, Lifecycle, PluginErrorType } from '@octo/plugin-api';
import { errorFields, describeError } from '../observe/describe-error.ts';
import { withDeadline } from '../resilience/deadline.ts';
import type { InstanceState } from './instance.ts';

/** How an instance is right now, by its own word. Reasons may quote what a plugin says: redact them before they leave. */
export type Health =
  | { readonly state: 'healthy'; readonly tookMs: number }
  /** It does its work, but took more than half of its time to say so. */
  | { readonly state: 'degraded'; readonly tookMs: number; readonly reason: string }
  /** It did not start, threw, or did not answer in time. */
  | ({ readonly state: 'down'; readonly cause: unknown } & Trouble)
  /** Nobody can tell: the plugin has no `health`, or its life has not begun or is over. */
  | { readonly state: 'unknown'; readonly reason: string };

interface Trouble {
  /** `unexpected` for what is no PluginError: a defect of the plugin, or this machine is in the way. */
  readonly type: PluginErrorType | 'unexpected';
  /** The error's own word for programs. */
  readonly code?: string;
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
}

export type InstanceHealth = { readonly id: string } & Health;

/** What is looked at of an instance. */
export interface Patient {
  readonly id: string;
  readonly state: InstanceState;
  readonly config: { readonly policy: { readonly timeoutMs: number } };
  readonly plugin: Pick<Lifecycle, 'health'>;
}

export interface HealthOptions {
  readonly clock: Clock;
  /** The most that one instance is given; its `policy.timeoutMs` when that is less. Default 10,000. */
  readonly capMs?: number;
}

/**
 * Asks every instance at the same time how it is; the answers come in the order of the instances. Whatever a plugin does,
 * this resolves after the longest deadline. Rejects only with the signal's reason.
 */
export async function askHealth(
  instances: Iterable<Patient>,
  options: HealthOptions,
  signal: AbortSignal,
): Promise<readonly InstanceHealth[]> {
  signal.throwIfAborted();
  const asking = Array.from(instances, async (one) => {
    return { id: one.id, ...(await healthOf(one, options, signal)) };
  });
  return await Promise.all(asking);
}

async function healthOf(
  one: Patient,
  options: HealthOptions,
  signal: AbortSignal,
): Promise<Health> {
  const { state } = one;
  if (state.state === 'started') return await ask(one, options, signal);
  if (state.state === 'failed') return down(state.cause, `did not start: ${state.reason}`);
  return unknown(state.state === 'created' ? 'not started yet' : 'closed');
}

async function ask(
  { id, plugin, config }: Patient,
  { clock, capMs = 10_000 }: HealthOptions,
  signal: AbortSignal,
): Promise<Health> {
  const deadlineMs = Math.min(config.policy.timeoutMs, capMs);
  const beganMs = clock.monotonic();
  try {
    if (typeof plugin.health !== 'function') return unknown('the plugin does not tell its health');
    const what = `health of plugin '${id}'`;
    await withDeadline(what, deadlineMs, clock, signal, async (inner) => plugin.health?.(inner));
  } catch (error) {
    signal.throwIfAborted();
    return down(error, describeError(error));
  }
  const tookMs = clock.monotonic() - beganMs;
  if (tookMs <= deadlineMs / 2) return { state: 'healthy', tookMs };
  const reason = `slow: ${Math.round(tookMs)} of ${deadlineMs} ms`;
  return { state: 'degraded', tookMs, reason };
}

function unknown(reason: string): Health {
  return { state: 'unknown', reason };
}

function down(cause: unknown, reason: string): Health {
  // By its word alone: looking for the brand runs code of whoever threw it.
  const { type: word = '', code } = errorFields(cause);
  const type = isKnown(word) ? word : 'unexpected';
  const remedy = remedies[type];
  return { state: 'down', cause, type, ...(code === undefined ? {} : { code }), reason, remedy };
}

const remedies: Readonly<Record<Trouble['type'], string>> = {
  auth: 'check the credentials, the host key and the rights of this login',
  validation: 'correct the configuration of this plugin in the manifest',
  not_found: 'check that the folder or bucket of the configuration is there',
  rate_limit: 'wait, and ask less often: the other side wants to be left alone for a while',
  network: 'check the address, the network between, and firewalls',
  provider_down: 'wait, or tell those who run the other side',
  integrity: 'tell those who run the other side: what it answers contradicts itself',
  unexpected: 'if nothing on this machine is in the way, tell the author of the plugin',
};

function isKnown(type: string): type is Trouble['type'] {
  return Object.hasOwn(remedies, type);
}
