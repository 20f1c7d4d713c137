import type { FastifyInstance } from 'fastify';
import { OctoError } from '../../errors/octo-error.ts';
import type { AuditQuery } from '../audit-reader.ts';
import type { ApiParts } from '../parts.ts';
import { closed, instant, page, paging } from '../shapes.ts';

interface Searched {
  Querystring: Omit<AuditQuery, 'since' | 'until'> & { since?: string; until?: string };
}

const text = { type: 'string' } as const;
const outcome = { enum: ['done', 'denied', 'failed'] } as const;
const record = closed(
  {
    sequence: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    action: text,
    actor: closed({ kind: text, id: text, address: text }, ['kind', 'id']),
    target: text,
    outcome,
    trace: text,
    details: { type: 'object', additionalProperties: true },
  },
  ['sequence', 'at', 'action', 'actor', 'outcome'],
);

export function auditRoutes(app: FastifyInstance, { auditReader }: ApiParts): void {
  app.get<Searched>(
    '/v1/audit',
    {
      config: { access: 'audit:read' },
      schema: {
        operationId: 'readAudit',
        summary: 'Who did what, newest first; 501 in a host that keeps no audit',
        querystring: closed({
          action: { ...text, minLength: 1, maxLength: 100 },
          actor: { ...text, minLength: 1, maxLength: 300 },
          outcome,
          since: instant,
          until: instant,
          ...paging,
        }),
        response: { 200: page('records', record) },
      },
    },
    async (request) => {
      if (auditReader === undefined)
        throw new OctoError(
          'OCTO_API_NOT_BUILT',
          'this host keeps no audit that could be read here',
        );
      const { since, until, ...rest } = request.query;
      const { records, next } = await auditReader.read({
        ...rest,
        ...(since === undefined ? {} : { since: Date.parse(since) }),
        ...(until === undefined ? {} : { until: Date.parse(until) }),
      });
      const shown = records.map((one) => ({ ...one, at: new Date(one.at).toISOString() }));
      return { records: shown, next };
    },
  );
}
