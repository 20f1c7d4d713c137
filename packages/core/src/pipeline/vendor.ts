import type { Clock, Logger, Provider, RemoteFile, Session } from '@octo/plugin-api';
import type { Policy } from '../manifest/manifest.ts';
import { responseTo } from '../resilience/error-response.ts';
import { isWorthAnother, retry, retryDelayMs } from '../resilience/retry.ts';
import { withDeadline } from '../resilience/deadline.ts';

export interface VendorOptions {
  readonly provider: Provider;
  readonly policy: Policy;
  /** Takes the next request. Milliseconds to wait before it is made. */
  readonly pace?: (() => Promise<number>) | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The right to be the only one that tries something again. */
export type Turn = AsyncDisposable;

/**
 * The vendor's side of a run: one session, opened when first needed and opened anew when it broke; every question
 * with a deadline and, where it helps, asked again.
 */
export class Vendor implements AsyncDisposable {
  readonly #options: VendorOptions;
  #opening: Promise<Session> | undefined;
  #lastTurn: Promise<void> = Promise.resolve();
  #leavesFiles = false;

  constructor(options: VendorOptions) {
    this.#options = options;
  }

  /** Whether the sessions so far do nothing with a file that was delivered. False before the first one. */
  get leavesFiles(): boolean {
    return this.#leavesFiles;
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

  /** Waits until the vendor may be asked once more. Whoever asks it beside {@link Vendor.ask} calls this before. */
  async paced(signal: AbortSignal): Promise<void> {
    const waitMs = (await this.#options.pace?.()) ?? 0;
    signal.throwIfAborted();
    if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal);
  }

  /** The file as it is now, or `undefined` when it is gone. `turn`: see {@link Vendor.ask}. */
  stat(file: RemoteFile, signal: AbortSignal, turn?: Turn): Promise<RemoteFile | undefined> {
    return this.ask('stat', signal, (session, inner) => session.stat(file, inner), turn);
  }

  /**
   * Waits until nobody else tries again, and keeps it so until the turn is disposed. Everybody on a connection suffers when
   * it breaks, whoever's file broke it; one after the other, each finds out for itself, and at the next break the guilty
   * one is alone.
   */
  async turn(signal: AbortSignal): Promise<Turn> {
    const before = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = before.then(() => promise);
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => stopped.reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([before, stopped.promise]);
    } catch (error) {
      resolve();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return { [Symbol.asyncDispose]: async () => resolve() };
  }

  /**
   * Asks the vendor something short and repeatable. What failed is asked again in a turn of its own, or in the one that
   * the caller has already.
   */
  async ask<T>(
    what: string,
    signal: AbortSignal,
    question: (session: Session, signal: AbortSignal) => Promise<T>,
    turn?: Turn,
  ): Promise<T> {
    const { policy, clock, random } = this.#options;
    const once = async (): Promise<T> => {
      const session = await this.session(signal);
      await this.paced(signal);
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
    try {
      return await once();
    } catch (error) {
      signal.throwIfAborted();
      if (!isWorthAnother(error) || policy.attempts < 2) throw error;
      await clock.sleep(retryDelayMs(error, 1, random), signal);
      await using _own = turn === undefined ? await this.turn(signal) : undefined;
      return await retry(once, { attempts: policy.attempts - 1, clock, random, signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (session !== undefined) await this.#close(session);
  }

  #connect(signal: AbortSignal): Promise<Session> {
    const { provider, policy, clock, random } = this.#options;
    const once = async (): Promise<Session> => {
      await this.paced(signal);
      const session = await withDeadline(
        'the vendor (connect)',
        policy.timeoutMs,
        clock,
        signal,
        (inner) => provider.connect(inner),
      );
      this.#leavesFiles = session.done === undefined;
      return session;
    };
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
