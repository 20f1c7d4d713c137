import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { OctoError } from '../errors/octo-error.ts';
import { describeError } from '../observe/describe-error.ts';
import { guard } from './access.ts';
import { allowOrigins } from './cors.ts';
import { readBodies } from './json-body.ts';
import { answerOtherMethods } from './other-methods.ts';
import { describedApi } from './openapi.ts';
import type { ApiParts } from './parts.ts';
import { octoErrorOf, PROBLEM_TYPE, problemOf } from './problem.ts';
import { auditRoutes } from './routes/audit.ts';
import { fileRoutes } from './routes/files.ts';
import { manifestRoutes } from './routes/manifest.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { runEventRoutes } from './routes/run-events.ts';
import { runRoutes } from './routes/runs.ts';
import { statusRoutes } from './routes/status.ts';
import { tokenRoutes } from './routes/token.ts';
import { named, problem, ref } from './shapes.ts';

export interface AppSettings {
  /** Of one caller, each second. */
  readonly requestsPerSecond: number;
  readonly maxBodyBytes: number;
  /** From the beginning of a request to the end of its headers, in milliseconds; who takes longer is let go. Default 10 s. */
  readonly headersMs?: number;
  /** Origins of web pages that may call; none by default. */
  readonly cors: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
}

export const APP_DEFAULTS: AppSettings = {
  requestsPerSecond: 1_000,
  maxBodyBytes: 1024 * 1024,
  cors: [],
};

const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for slow callers. */
const CHECKED_EVERY_MS = 1_000;

/** The API without a port: every route with its scope, its schemas and its limits. `ready()` has been awaited. */
export async function buildApp(parts: ApiParts, settings: AppSettings): Promise<FastifyInstance> {
  const app = emptyApp(parts, settings);
  readBodies(app);
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(SAFE_HEADERS).header('x-request-id', reply.request.id);
    if (settings.tls !== undefined)
      void reply.header('strict-transport-security', 'max-age=31536000');
  });
  app.addHook('onRequest', async ({ raw }) => {
    // Node's parser takes HTTP/0.9, which has no headers, and so neither Host nor length.
    if (raw.httpVersionMajor !== 1) throw new OctoError('OCTO_API_INVALID', 'speak HTTP/1.1');
  });
  allowOrigins(app, settings.cors);
  answerOtherMethods(app);
  guard(app, {
    doorkeeper: parts.auth.doorkeeper,
    audit: parts.audit,
    onDenied: (why) =>
      parts.logger.error({ reason: describeError(why) }, 'a denial was not recorded'),
  });
  await app.register(rateLimit, {
    max: settings.requestsPerSecond,
    timeWindow: 1_000,
    // After the caller is known: each key has its own measure.
    hook: 'preParsing',
    keyGenerator: ({ identity, ip }) => (identity ? `${identity.kind}:${identity.id}` : ip),
  });
  countRequests(app, parts);
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, parts));
  for (const shape of named) app.addSchema(shape);
  await app.register(swagger, describedApi);
  app.addHook('onRoute', (route) => {
    const answers = { '4xx': PROBLEM_ANSWER, '5xx': PROBLEM_ANSWER };
    const { response } = (route.schema ?? {}) as { readonly response?: object };
    const { access } = route.config ?? {};
    const isOpen = access === undefined || access === 'open';
    const security = isOpen ? [] : [{ bearer: [] }, { oauth: [access] }];
    route.schema = { ...route.schema, security, response: { ...answers, ...response } };
  });
  for (const routes of ROUTES) routes(app, parts);
  app.get(
    '/v1/openapi.json',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'openapi',
        summary: 'This document',
        response: { 200: { type: 'object', additionalProperties: true } },
      },
    },
    async () => app.swagger(),
  );
  await app.ready();
  return app;
}

const ROUTES = [
  pipelineRoutes,
  runRoutes,
  runEventRoutes,
  fileRoutes,
  pluginRoutes,
  manifestRoutes,
  auditRoutes,
  statusRoutes,
  tokenRoutes,
] as const;

const PROBLEM_ANSWER = {
  description: 'What is wrong, and what to do',
  content: { [PROBLEM_TYPE]: { schema: ref(problem) } },
};

const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function emptyApp(parts: ApiParts, settings: AppSettings): FastifyInstance {
  const { tls, maxBodyBytes, headersMs = HEADERS_MS } = settings;
  const http = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    connectionsCheckingInterval: CHECKED_EVERY_MS,
  };
  const app = fastify({
    ...(tls === undefined ? { http } : { https: { ...http, ...tls, minVersion: 'TLSv1.2' } }),
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256 },
    genReqId: requestIdOf,
    frameworkErrors: (error, request, reply) => {
      void reply.headers(SAFE_HEADERS).header('x-request-id', request.id);
      answerProblem(error, request, reply, parts);
    },
    clientErrorHandler: (error, socket) => answerRaw(error, socket, parts),
  }) as unknown as FastifyInstance;
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict() : coercing()).compile(schema as object),
  );
  return app;
}

/** Bodies are what they say; paths, queries and headers are texts that stand for numbers. One compiler a schema. */
const strict = () => formats.default(new Ajv2020({ ...AJV, coerceTypes: false }));
const coercing = () => formats.default(new Ajv2020({ ...AJV, coerceTypes: 'array' }));
const AJV = {
  strict: false,
  useDefaults: true,
  removeAdditional: false,
  allErrors: false,
  ownProperties: true,
} as const;

/** The caller's own id, when it is one that can do no harm in a log. */
function requestIdOf({ headers }: { readonly headers: Record<string, unknown> }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
}

function answerProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { host, logger }: ApiParts,
): void {
  const known = octoErrorOf(error);
  const found = problemOf(known, request.id, host.redact);
  if (found.status >= 500) {
    const reason = describeError(error);
    logger.error(
      { requestId: request.id, route: request.routeOptions.url, reason },
      'a request failed',
    );
  }
  void reply.code(found.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(found);
}

/** What was no HTTP request: answered and closed, without anything that the caller has sent. */
function answerRaw(
  error: Error & { readonly code?: string },
  socket: Socket,
  parts: ApiParts,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const statusCode = isLate ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const known = octoErrorOf(Object.assign(new Error('not HTTP'), { statusCode }));
  const found = { ...problemOf(known, randomUUID(), parts.host.redact), status: statusCode };
  const body = JSON.stringify(found);
  const head = `HTTP/1.1 ${statusCode} Refused\r\ncontent-type: ${PROBLEM_TYPE}\r\n`;
  const rest = `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(`${head}${rest}${body}`);
}

function countRequests(app: FastifyInstance, { metrics }: ApiParts): void {
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    metrics.request(method, routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
  });
}
