/**
 * Bloomberg's Data License REST API on loopback: strict about tokens, versions and bodies, faithful about pages, ranges,
 * events and errors, and wrong on order. For tests and demonstrations.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@octo/plugin-api';
import { answerRestCall, type BloombergCall } from './answer-rest-call.ts';
import { testCredential, type BloombergCredential } from './credential.ts';
import { machineClock } from './machine-clock.ts';
import { ResponseStore, type BloombergResponse } from './response-store.ts';
import type { RestDesk } from './rest-desk.ts';
import { BloombergRestFaults } from './rest-faults.ts';
import { TokenCheck } from './token-check.ts';

export interface BloombergRestOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: a free one. */
  readonly port?: number;
  /** The account number, which is the identifier of its catalogue. Default `1234`. */
  readonly account?: string;
  /** What is to be other than in the test credential, such as `expiration_date`. */
  readonly credential?: Partial<BloombergCredential>;
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
  /** Issues a response again: the same key and request, other bytes, modified now. */
  replace(key: string, body: string | Uint8Array): void;
  /** A response is no longer there, as after its retention. */
  remove(key: string): void;
}

export async function startBloombergRest(
  options: BloombergRestOptions = {},
): Promise<BloombergRest> {
  const clock = options.clock ?? machineClock;
  const credential = { ...testCredential(clock.now()), ...options.credential };
  const faults = new BloombergRestFaults();
  const responses = new ResponseStore();
  const calls: BloombergCall[] = [];
  const desk: RestDesk = {
    clock,
    account: options.account ?? '1234',
    faults,
    responses,
    now: () => clock.now() + faults.skewMs,
  };
  const gateway = { desk, tokens: new TokenCheck(credential), note: calls.push.bind(calls) };
  const server = createServer((request, response) => {
    answerRestCall(gateway, request, response).catch(() => request.socket.destroy());
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/eap`,
    oauthUrl: `http://127.0.0.1:${port}/ext/api/as/token.oauth2`,
    port,
    account: desk.account,
    credential,
    faults,
    calls,
    publish: (response) => void responses.put(response, clock.now()),
    replace(key, body) {
      const { modifiedMs, ...old } = known(responses, key);
      responses.put({ ...old, key, body }, Math.max(clock.now(), modifiedMs + 1000));
    },
    remove: (key) => responses.delete(key),
    [Symbol.asyncDispose]: () => close(server),
  };
}

function known(responses: ResponseStore, key: string) {
  const response = responses.get(key);
  if (response === undefined) throw new Error(`no response ${key} was published`);
  return response;
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
