import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Doorkeeper } from '../auth/doorkeeper.ts';
import { actorOf, type Identity } from '../auth/identity.ts';
import { ACTIONS, reachOf, type Action, type Reach } from '../auth/scope.ts';
import { OctoError } from '../errors/octo-error.ts';

/** What a caller needs for a route: the scope of an action, or nothing. */
export type Access = Action | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; only on routes that are not open. */
    identity: Identity | undefined;
  }
}

export interface AccessParts {
  readonly doorkeeper: Pick<Doorkeeper, 'admit'>;
  readonly audit: AuditTrail;
  readonly onDenied: (why: unknown) => void;
}

/** Lets nobody in without what the route declares. A route that declares nothing cannot be registered. */
export function guard(app: FastifyInstance, parts: AccessParts): void {
  app.decorateRequest('identity', undefined);
  app.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access;
    if (access === 'open' || ACTIONS.some((action) => action === access)) return;
    throw new TypeError(`the route ${String(method)} ${url} does not say which scope it needs`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config;
    if (access === undefined || access === 'open') return;
    request.identity = await identified(request, reply, parts);
    if (!isEmpty(reachOf(request.identity.scopes, access))) return;
    await told(request, parts);
    throw new OctoError(
      'OCTO_API_FORBIDDEN',
      `this takes the scope '${access}'; ask for a key that has it`,
    );
  });
}

/** For which pipelines the caller may do what the route does. */
export function reachFor(request: FastifyRequest): Reach {
  const { access } = request.routeOptions.config;
  if (access === undefined || access === 'open' || request.identity === undefined) return [];
  return reachOf(request.identity.scopes, access);
}

/** @throws OctoError `OCTO_API_UNAUTHENTICATED`, whatever was wrong; `OCTO_API_TOO_MANY` while somebody guesses from there */
async function identified(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AccessParts,
): Promise<Identity> {
  const found = await parts.doorkeeper.admit(shownBy(request), request.ip);
  if (found.answer === 'known') return found.identity;
  if (found.answer === 'wait') throw tooMany(reply, found.ms);
  await told(request, parts);
  void reply.header('www-authenticate', 'Bearer realm="octo"');
  throw new OctoError(
    'OCTO_API_UNAUTHENTICATED',
    'show a key or a token that is good: Authorization: Bearer …; octo-host keys create makes one',
  );
}

export function tooMany(reply: FastifyReply, ms: number): OctoError {
  void reply.header('retry-after', String(Math.ceil(ms / 1000)));
  return new OctoError('OCTO_API_TOO_MANY', 'too many failures from there; wait, then try again');
}

/** Denied is denied: when it cannot be recorded, it stays so. */
async function told(request: FastifyRequest, { audit, onDenied }: AccessParts): Promise<void> {
  const entry = {
    action: 'request.denied',
    actor: actorOf(request.identity, request.ip),
    target: `${request.method} ${request.routeOptions.url ?? ''}`,
    outcome: 'denied',
    trace: request.id,
  } as const;
  await audit.record(entry).catch(onDenied);
}

function shownBy({ headers }: FastifyRequest): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(headers.authorization ?? '')?.[1];
}

function isEmpty(reach: Reach): boolean {
  return reach !== 'all' && reach.length === 0;
}
