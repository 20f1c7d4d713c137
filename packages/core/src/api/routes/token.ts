import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KeyRecord } from '../../auth/key-record.ts';
import { parseScopes, scopeText, withinScopes, type Scope } from '../../auth/scope.ts';
import { TOKEN_LIFE_S } from '../../auth/tokens.ts';
import { OctoError } from '../../errors/octo-error.ts';
import { tooMany } from '../access.ts';
import type { ApiParts } from '../parts.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { closed, problem, ref } from '../shapes.ts';

interface Asked {
  Body: { grant_type: string; client_id?: string; client_secret?: string; scope?: string };
}
/** RFC 6749, 5.2. */
type Refusal = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type';

const field = (maxLength: number) => ({ type: 'string', maxLength }) as const;
const refused = {
  ...closed({ error: { type: 'string' }, error_description: { type: 'string' } }, ['error']),
  description: 'Refused, as OAuth says it (RFC 6749, 5.2)',
};

/** OAuth2 client credentials: a key's id and the key itself become a token for a quarter of an hour. */
export function tokenRoutes(app: FastifyInstance, parts: ApiParts): void {
  app.post<Asked>(
    '/oauth/token',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'createToken',
        summary: 'A short-lived token for a key (OAuth2 client credentials)',
        consumes: ['application/x-www-form-urlencoded'],
        // Fields that are not known are to be ignored (RFC 6749, 3.2).
        body: {
          type: 'object',
          required: ['grant_type'],
          properties: {
            grant_type: field(100),
            client_id: field(200),
            client_secret: field(200),
            scope: field(4000),
          },
        },
        response: {
          200: closed(
            {
              access_token: { type: 'string' },
              token_type: { const: 'Bearer' },
              expires_in: { type: 'integer' },
              scope: { type: 'string' },
            },
            ['access_token', 'token_type', 'expires_in', 'scope'],
          ),
          400: {
            description: 'Refused, or not readable',
            content: {
              'application/json': { schema: refused },
              [PROBLEM_TYPE]: { schema: ref(problem) },
            },
          },
          401: {
            description: 'Not a client',
            content: { 'application/json': { schema: refused } },
          },
        },
      },
    },
    async (request, reply) => {
      const { tokens } = parts.auth;
      if (request.body.grant_type !== 'client_credentials')
        return refuse(reply, 'unsupported_grant_type', 'grant_type is client_credentials');
      const shown = credentialsOf(request);
      if (shown === undefined)
        return refuse(reply, 'invalid_request', 'say who you are once, by header or form');
      const key = await clientOf(shown, request, reply, parts);
      if (key === undefined)
        return refuse(reply, 'invalid_client', 'not a client that is known and good');
      const scopes = grantedScopes(request.body.scope, key);
      if (scopes === undefined)
        return refuse(reply, 'invalid_scope', 'the key does not have that scope');
      await note(request, parts, key.id, 'done');
      return {
        access_token: await tokens.issue(key.id, scopes),
        token_type: 'Bearer',
        expires_in: TOKEN_LIFE_S,
        scope: scopes.map(scopeText).join(' '),
      };
    },
  );
}

interface Shown {
  readonly id: string;
  readonly secret: string;
}

/** By `Authorization: Basic` or by the form; both at once are refused (RFC 6749, 2.3). */
function credentialsOf({ headers, body }: FastifyRequest<Asked>): Shown | undefined {
  const basic = /^Basic ([A-Za-z0-9+/]{1,1000}={0,2})$/i.exec(headers.authorization ?? '')?.[1];
  const { client_id: id, client_secret: secret } = body;
  if (basic === undefined)
    return id === undefined || secret === undefined ? undefined : { id, secret };
  if (secret !== undefined) return undefined;
  const [, name, password] =
    /^([^:]*):(.*)$/.exec(Buffer.from(basic, 'base64').toString('latin1')) ?? [];
  if (name === undefined || password === undefined) return undefined;
  return { id: formText(name), secret: formText(password) };
}

function formText(text: string): string {
  return new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';
}

async function clientOf(
  { id, secret }: Shown,
  request: FastifyRequest<Asked>,
  reply: FastifyReply,
  parts: ApiParts,
): Promise<KeyRecord | undefined> {
  const { keys, damping } = parts.auth;
  const ms = damping.waitMs(request.ip);
  if (ms > 0 && !keys.isRecent(secret)) throw tooMany(reply, ms);
  const key = await keys.proved(secret);
  if (key?.id === id) return key;
  damping.failed(request.ip);
  await note(request, parts, 'unknown', 'denied');
  return undefined;
}

/** Without a wish: all that the key has. `undefined` when more is wished for than there is. */
function grantedScopes(asked: string | undefined, key: KeyRecord): readonly Scope[] | undefined {
  if (asked === undefined || asked === '') return key.scopes;
  try {
    const wished = parseScopes(asked.split(' '));
    return withinScopes(wished, key.scopes).length === wished.length ? wished : undefined;
  } catch (error) {
    if (error instanceof OctoError) return undefined;
    throw error;
  }
}

async function note(
  request: FastifyRequest,
  { audit }: ApiParts,
  id: string,
  outcome: 'done' | 'denied',
): Promise<void> {
  const kind = outcome === 'done' ? 'client' : 'anonymous';
  const actor = { kind, id, address: request.ip } as const;
  await audit.record({ action: 'login', actor, outcome, trace: request.id });
}

function refuse(reply: FastifyReply, error: Refusal, description: string): FastifyReply {
  if (error === 'invalid_client') void reply.header('www-authenticate', 'Basic realm="octo"');
  return reply
    .code(error === 'invalid_client' ? 401 : 400)
    .type('application/json')
    .send({ error, error_description: description });
}
