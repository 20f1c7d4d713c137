/**
 * Bloomberg's Data License REST API on loopback: strict about tokens, versions and bodies, faithful about pages, ranges,
 * events and errors, and wrong on order. For tests and demonstrations.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@octo/plugin-api';
import { AccessTokens, TOKEN_PATH } from './access-tokens.ts';
import { answerRestCall, type BloombergCall } from './answer-rest-call.ts';
import { testCredential, type BloombergCredential } from './credential.ts';
import type { BloombergSnapshot } from './datasets.ts';
import { machineClock } from './machine-clock.ts';
import { RateLimit } from './rate-limit.ts';
import { restDesk } from './make-rest-desk.ts';
import type { BloombergResponse } from './response-store.ts';
import { BloombergRestFaults } from './rest-faults.ts';
import { TokenCheck } from './token-check.ts';

export interface BloombergRestOptions {
  /** Default: the machine's. Each open stream of events with heartbeats sleeps on it, and so does each delayed response. */
  readonly clock?: Clock;
  /** Default: a free one. */
  readonly port?: number;
  /** The account number, which is the identifier of its catalogue. Default `1234`. */
  readonly account?: string;
  /** What is to be other than in the test credential, such as `expiration_date`. */
  readonly credential?: Partial<BloombergCredential>;
  /** Calls of this credential in any minute before 429. Default 1200, as at Bloomberg. */
  readonly perMinute?: number;
  /** How often a silent stream of events shows that it lives. 0: never. Default 30 seconds. */
  readonly heartbeatMs?: number;
  /**
   * Whether the server also refuses what public clients of Bloomberg document as refused and a careless one overlooks: a
   * request needs a title or a name, a stored part a title; what recurs cannot begin on a day that is over. Default `true`.
   */
  readonly strict?: boolean;
  /** How long responses are listed. Bloomberg lists them for seven days. Default: for ever. */
  readonly listedMs?: number;
  /** How long an access token is good. Default 30 minutes. */
  readonly accessTokenMs?: number;
}

export interface BloombergRest extends AsyncDisposable {
  /** `http://127.0.0.1:…/eap` */
  readonly url: string;
  /** Where access tokens are fetched. */
  readonly oauthUrl: string;
  readonly port: number;
  readonly account: string;
  /** As in the credential file. */
  readonly credential: BloombergCredential;
  /** Takes effect at once. */
  readonly faults: BloombergRestFaults;
  /** Every call so far, oldest first. */
  readonly calls: readonly BloombergCall[];
  /** Delivers a response: it appears in the listing and, unless `announced` is false, goes out as an event. */
  publish(response: BloombergResponse): void;
  /** Issues a response again: the same key and request, other bytes, at least a second younger. */
  replace(key: string, body: string | Uint8Array): void;
  /** A response is no longer there, as after its retention. */
  remove(key: string): void;
  /** Adds a file to a snapshot of a ready-made dataset. */
  publishSnapshot(snapshot: BloombergSnapshot): void;
  /** Resolves as soon as so many streams of events are open: the moment to publish. */
  untilStreams(count: number): Promise<void>;
  /** Cuts all streams of events that are open. */
  disconnectStreams(): void;
}

export async function startBloombergRest(
  options: BloombergRestOptions = {},
): Promise<BloombergRest> {
  const clock = options.clock ?? machineClock;
  const credential = { ...testCredential(clock.now()), ...options.credential };
  const faults = new BloombergRestFaults();
  const closing = new AbortController();
  const { account = '1234', heartbeatMs = 30_000 } = options;
  const { deliver, ...desk } = restDesk({
    clock,
    account,
    faults,
    heartbeatMs,
    strict: options.strict ?? true,
    listedMs: options.listedMs ?? Infinity,
    closing: closing.signal,
  });
  const keeper = {
    credential,
    tokens: new TokenCheck(credential),
    access: new AccessTokens(credential, options.accessTokenMs ?? 30 * 60 * 1000),
    limit: new RateLimit(options.perMinute ?? 1200),
  };
  const calls: BloombergCall[] = [];
  const gateway = { desk, keeper, note: (call: BloombergCall) => void calls.push(call) };
  const server = createServer((request, response) => {
    answerRestCall(gateway, request, response).catch(() => request.socket.destroy());
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/eap`,
    oauthUrl: `http://127.0.0.1:${port}${TOKEN_PATH}`,
    port,
    account,
    credential,
    faults,
    calls,
    publish: deliver,
    replace: (key, body) => deliver(desk.responses.reissue(key, body, desk.now())),
    remove: (key) => desk.responses.delete(key),
    publishSnapshot: (snapshot) => desk.datasets.put(snapshot, desk.now()),
    untilStreams: (count) => desk.events.untilOpen(count),
    disconnectStreams: () => desk.events.disconnect(),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await close(server);
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
