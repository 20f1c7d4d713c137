/** One call from its first header to its answer: the gateway first, then the service. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCall, type RestAnswer, type RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import { GatewayRefusal, gatewayEnvelope, RestRefusal, serviceEnvelope } from './rest-refusal.ts';
import { answerFrom } from './rest-routes.ts';
import { sendAnswer } from './send-answer.ts';
import type { TokenCheck } from './token-check.ts';

/** A call that was answered. */
export interface BloombergCall {
  readonly method: string;
  /** As sent, without query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  readonly headers: { readonly [name: string]: string };
  readonly status: number;
  /** Why it was refused. */
  readonly reason?: string;
}

export interface Gateway {
  readonly desk: RestDesk;
  readonly tokens: TokenCheck;
  readonly note: (call: BloombergCall) => void;
}

export async function answerRestCall(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { desk, note } = gateway;
  const id = randomUUID();
  const call = parseCall(request);
  const answer = await work(gateway, call).catch((error: unknown) => refusalOf(error, id, desk));
  const { method, path, headers } = call;
  const query = call.query.toString();
  note({ method, path, query, headers, status: answer.status, ...reasonIn(answer) });
  sendAnswer(answer, response, { id, nowMs: desk.now() });
}

type Told = RestAnswer & { readonly reason?: string };

async function work({ desk, tokens }: Gateway, call: RestCall): Promise<Told> {
  const fault = desk.faults.next(call.path);
  admit(call, desk, tokens);
  if (fault?.redirect !== undefined) {
    return { status: 307, headers: { location: fault.redirect } };
  }
  if (fault?.status === 429) {
    const told = refusalOf(new GatewayRefusal(429, 'Too many requests.'), randomUUID(), desk);
    const { retryAfterSeconds: seconds } = fault;
    return seconds === undefined ? told : { ...told, headers: { 'retry-after': `${seconds}` } };
  }
  if (fault?.status !== undefined) throw faultOf(fault.status);
  requireVersion(call);
  return answerFrom(call, desk);
}

function admit({ headers, method, path }: RestCall, desk: RestDesk, tokens: TokenCheck): void {
  const token = headers['jwt'];
  if (token === undefined) {
    throw new GatewayRefusal(401, 'No definition of jwt found in header or query string.');
  }
  const host = (headers['host'] ?? '').replace(/:\d+$/, '');
  tokens.spend(token, { method, path, host, nowMs: desk.now() });
}

function requireVersion({ headers }: RestCall): void {
  if (headers['api-version'] === '2') return;
  throw new RestRefusal(400, 'The api-version is missing or not supported.', [
    { detail: 'Must be 2.', pointer: 'api-version', location: 'header' },
  ]);
}

function faultOf(status: number): Error {
  return status === 401 || status === 403
    ? new GatewayRefusal(status, 'Refused on order.')
    : new RestRefusal(status, 'Refused on order.');
}

function refusalOf(error: unknown, id: string, desk: RestDesk): Told {
  if (error instanceof RestRefusal) {
    return { status: error.status, body: serviceEnvelope(error), reason: error.message };
  }
  if (error instanceof GatewayRefusal) {
    const body = gatewayEnvelope(error, id, desk.now());
    return { status: error.status, body, reason: error.message };
  }
  throw error;
}

function reasonIn({ reason }: Told): { reason?: string } {
  return reason === undefined ? {} : { reason };
}
