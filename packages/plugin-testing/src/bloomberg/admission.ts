/** The gateway: who may come in, and how often. */
import type { AccessTokens } from './access-tokens.ts';
import type { BloombergCredential } from './credential.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import { GatewayRefusal } from './rest-refusal.ts';
import type { Admission } from './rest-routes.ts';
import type { TokenCheck } from './token-check.ts';

export interface Gatekeeper {
  readonly credential: BloombergCredential;
  readonly tokens: TokenCheck;
  readonly access: AccessTokens;
  readonly limit: RateLimit;
}

/** @throws GatewayRefusal 401 for whoever may not come in, 429 for too many calls */
export function admit(call: RestCall, desk: RestDesk, keeper: Gatekeeper): Admission {
  const nowMs = desk.now();
  if (desk.faults.addressNotAllowed) {
    throw new GatewayRefusal(401, 'The address of the client is not allowed.');
  }
  const admission = identified(call, nowMs, keeper);
  if (desk.faults.expiredCredential || nowMs >= keeper.credential.expiration_date) {
    throw new GatewayRefusal(401, 'The credential has expired.');
  }
  if (!keeper.limit.passes(desk.clock.now())) throw new GatewayRefusal(429, 'Too many requests.');
  return admission;
}

/** By a token of its own, or else by an access token. */
function identified(
  { headers, method, path }: RestCall,
  nowMs: number,
  { access, tokens }: Gatekeeper,
): Admission {
  const { authorization, jwt } = headers;
  if (jwt !== undefined) {
    const host = (headers['host'] ?? '').replace(/:\d+$/, '');
    tokens.spend(jwt, { method, path, host, nowMs });
    return {};
  }
  if (authorization !== undefined) return { untilMs: access.check(authorization, nowMs) };
  throw new GatewayRefusal(401, 'No definition of jwt found in header or query string.');
}
