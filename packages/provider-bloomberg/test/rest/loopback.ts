/** A client of the loopback Bloomberg, and what closes all of it after each test. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, isPluginError, type PluginError } from '@octo/plugin-api';
import {
  type BloombergRest,
  type BloombergRestOptions,
  RecordingLogger,
  startBloombergRest,
} from '@octo/plugin-testing';
import { onTestFinished } from 'vitest';
import { parseCredential } from '../../src/credential.ts';
import { ApiClient } from '../../src/rest/api-client.ts';
import { SignedRequests } from '../../src/rest/authorization.ts';
import { Exchange, type ExchangeOptions } from '../../src/rest/exchange.ts';
import { ServerClock } from '../../src/rest/server-clock.ts';
import { Throttle } from '../../src/throttle.ts';

export const never = new AbortController().signal;

/** The machine's time, with no patience: what would be waited for is over at once. */
export const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    // Deadlines stay what they are; pauses before another attempt are short.
    await pause(ms >= 30_000 ? ms : 0, undefined, { ref: false, ...(signal && { signal }) }).catch(
      (error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      },
    );
  },
};

export async function bloomberg(options: BloombergRestOptions = {}): Promise<BloombergRest> {
  const server = await startBloombergRest(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

export interface ClientOptions extends Partial<ExchangeOptions> {
  readonly clock?: Clock;
  readonly logger?: RecordingLogger;
  readonly endpoint?: string;
}

export function clientOf(server: BloombergRest, options: ClientOptions = {}): ApiClient {
  const { clock = hurriedClock, logger = new RecordingLogger() } = options;
  const credential = parseCredential(JSON.stringify(server.credential));
  const exchange = new Exchange({ ...options, clock });
  onTestFinished(() => exchange[Symbol.asyncDispose]());
  return new ApiClient({
    endpoint: new URL(`${options.endpoint ?? server.url}/`),
    authorization: new SignedRequests({ credential, clock, serverClock: new ServerClock(clock) }),
    throttle: new Throttle({ clock, perSecond: 1000, burst: 1000 }),
    exchange,
    clock,
    logger,
  });
}

/** The PluginError that the work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<PluginError> {
  try {
    await work;
  } catch (error) {
    if (isPluginError(error)) return error;
    throw error;
  }
  throw new Error('it succeeded');
}
