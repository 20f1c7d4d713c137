/** One call from its first header to its answer: the gateway first, then the service. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TOKEN_PATH } from './access-tokens.ts';
import { admit, type Gatekeeper } from './admission.ts';
import { parseCall, type RestAnswer, type RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import type { CallFault } from './rest-faults.ts';
import { GatewayRefusal, gatewayEnvelope, RestRefusal, serviceEnvelope } from './rest-refusal.ts';
import { answerFrom } from './rest-routes.ts';
import { sendAnswer } from './send-answer.ts';

/** A call that was answered. */
export interface BloombergCall {
  readonly method: string;
  /** As sent, without query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: { readonly [name: string]: string };
  readonly status: number;
  /** Why it was refused. */
  readonly reason?: string;
}

export interface Gateway {
  readonly desk: RestDesk;
  readonly keeper: Gatekeeper;
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
  const { method, path, headers } = call;
  if (path === TOKEN_PATH && desk.faults.addressNotAllowed) return void request.socket.destroy();
  const answer = await work(gateway, call).catch((error: unknown) => refusalOf(error, id, desk));
  const query = call.query.toString();
  const { reason, status } = answer;
  note({ method, path, query, headers, status, ...(reason !== undefined && { reason }) });
  sendAnswer(answer, response, { id, nowMs: desk.now() });
}

type Told = RestAnswer & { readonly reason?: string };

async function work({ desk, keeper }: Gateway, call: RestCall): Promise<Told> {
  const fault = desk.faults.next(call.path);
  if (call.path === TOKEN_PATH) {
    return fault === undefined ? keeper.access.issue(call, desk.now()) : faulty(fault, desk);
  }
  if (fault?.status === 401) throw new GatewayRefusal(401, 'Refused on order.');
  const admission = admit(call, desk, keeper);
  if (fault !== undefined) return faulty(fault, desk);
  requireVersion(call);
  return answerFrom(call, desk, admission);
}

function requireVersion({ headers, method }: RestCall): void {
  if (headers['api-version'] !== '2') {
    throw new RestRefusal(400, 'The api-version is missing or not supported.', [
      { detail: 'Must be 2.', pointer: 'api-version', location: 'header' },
    ]);
  }
  const hasBody = method === 'POST' || method === 'PATCH';
  if (hasBody && !/^application\/json\b/.test(headers['content-type'] ?? '')) {
    throw new RestRefusal(415, 'Bodies are application/json.');
  }
}

function faulty({ redirect, retryAfterSeconds, status = 500 }: CallFault, desk: RestDesk): Told {
  if (redirect !== undefined) return { status: 307, headers: { location: redirect } };
  const isOfGateway = [401, 403, 429].includes(status);
  const Refusal = isOfGateway ? GatewayRefusal : RestRefusal;
  const told = refusalOf(new Refusal(status, 'Refused on order.'), randomUUID(), desk);
  if (retryAfterSeconds === undefined) return told;
  return { ...told, headers: { 'retry-after': String(retryAfterSeconds) } };
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
