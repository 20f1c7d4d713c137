import type { Clock, Logger, Provider, RemoteFile, Session } from '@octo/plugin-api';
import type { Policy } from '../manifest/manifest.ts';
import { responseTo } from '../resilience/error-response.ts';
import { retry } from '../resilience/retry.ts';
import { withDeadline } from '../resilience/deadline.ts';

export interface VendorOptions {
  readonly provider: Provider;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * The vendor's side of a run: one session, opened when first needed and opened anew when it broke; every question
 * with a deadline and, where it helps, asked again.
 */
export class Vendor implements AsyncDisposable {
  readonly #options: VendorOptions;
  #opening: Promise<Session> | undefined;

  constructor(options: VendorOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#options.policy.attempts;
  }

  /** The open session. Rejects with the PluginError of `connect`. */
  session(signal: AbortSignal): Promise<Session> {
    this.#opening ??= this.#connect(signal).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Says that `session` is broken: the next question opens another. */
  async lost(session: Session): Promise<void> {
    const opening = this.#opening;
    if (opening === undefined || (await opening.catch(() => undefined)) !== session) return;
    if (this.#opening === opening) this.#opening = undefined;
    await this.#close(session);
  }

  /** The file as it is now, or `undefined` when it is gone. */
  stat(file: RemoteFile, signal: AbortSignal): Promise<RemoteFile | undefined> {
    return this.ask('stat', signal, (session, inner) => session.stat(file, inner));
  }

  /** Asks the vendor something short and repeatable. */
  async ask<T>(
    what: string,
    signal: AbortSignal,
    question: (session: Session, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { policy, clock, random } = this.#options;
    const once = async (): Promise<T> => {
      const session = await this.session(signal);
      try {
        return await withDeadline(
          `the vendor (${what})`,
          policy.timeoutMs,
          clock,
          signal,
          (inner) => question(session, inner),
        );
      } catch (error) {
        if (responseTo(error).retry) await this.lost(session);
        throw error;
      }
    };
    return await retry(once, { attempts: policy.attempts, clock, random, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (session !== undefined) await this.#close(session);
  }

  #connect(signal: AbortSignal): Promise<Session> {
    const { provider, policy, clock, random } = this.#options;
    const once = (): Promise<Session> =>
      withDeadline('the vendor (connect)', policy.timeoutMs, clock, signal, (inner) =>
        provider.connect(inner),
      );
    return retry(once, { attempts: policy.attempts, clock, random, signal });
  }

  async #close(session: Session): Promise<void> {
    const { policy, clock, logger } = this.#options;
    try {
      await withDeadline(
        'closing the session',
        policy.timeoutMs,
        clock,
        new AbortController().signal,
        () => Promise.resolve(session[Symbol.asyncDispose]()),
      );
    } catch (error) {
      // What was read has been checked by now; how the connection ended says nothing about it.
      logger.debug({ err: error }, 'session did not close cleanly');
    }
  }
}

/** Whether two sightings are the same version of a file. */
export function sameVersion(a: RemoteFile, b: RemoteFile | undefined): boolean {
  return b !== undefined && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
