import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../parts.ts';
import { ProviderStats } from '../provider-stats.ts';
import { closed, listOf } from '../shapes.ts';

const text = { type: 'string' } as const;

/** For what watches over the host: is it alive, does it work, and how well. */
export function statusRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { runs, metrics } = parts;
  const stats = new ProviderStats(parts);
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'healthz',
        summary: 'Whether the process answers',
        response: { 200: closed({ status: { const: 'ok' } }, ['status']) },
      },
    },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'readyz',
        summary: 'Whether work is done: the database answers; 503 otherwise',
        response: { 200: closed({ status: { const: 'ready' } }, ['status']) },
      },
    },
    async () => {
      await runs.depth();
      return { status: 'ready' };
    },
  );
  app.get(
    '/metrics',
    {
      config: { access: 'metrics:read' },
      schema: {
        operationId: 'metrics',
        summary: 'For Prometheus',
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: text } } } },
      },
    },
    async (_request, reply) => {
      metrics.depth(await runs.depth());
      return reply.type(metrics.contentType).send(await metrics.text());
    },
  );
  app.get(
    '/admin/stats',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'stats',
        summary: 'How each provider did over the last 24 hours',
        response: { 200: closed({ providers: listOf(providerStats) }, ['providers']) },
      },
    },
    async () => ({ providers: await stats.read() }),
  );
}

const count = { type: 'integer', minimum: 0 } as const;
const providerStats = closed(
  {
    id: text,
    breaker: { enum: ['closed', 'open', 'half-open'], description: 'Absent when it has none.' },
    runs: { ...count, description: 'That ended within the last 24 hours.' },
    successRate: { type: 'number', minimum: 0, maximum: 1, description: 'Absent without runs.' },
    meanResponseMs: {
      type: 'number',
      description: 'Of its answers about its health since the start.',
    },
    lastError: closed(
      { at: { type: 'string', format: 'date-time' }, run: text, code: text, message: text },
      ['at', 'run', 'code', 'message'],
    ),
  },
  ['id', 'runs'],
);
