import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../parts.ts';
import { recorded } from '../recorded.ts';
import { closed, plan, ref } from '../shapes.ts';

interface Offered {
  Body: { text: string };
}
interface Applied extends Offered {
  Headers: { 'if-match'?: string };
}

const body = closed(
  {
    text: {
      type: 'string',
      minLength: 2,
      description: 'plugins.json as it is to be, comments included.',
    },
  },
  ['text'],
);

export function manifestRoutes(app: FastifyInstance, { manifests, audit }: ApiParts): void {
  app.get(
    '/v1/manifest',
    {
      config: { access: 'manifest:read' },
      schema: {
        operationId: 'showManifest',
        summary: 'What the host serves, with secrets as references',
        response: {
          200: closed(
            {
              revision: { type: 'string' },
              manifest: { type: 'object', additionalProperties: true },
            },
            ['revision', 'manifest'],
          ),
        },
      },
    },
    async (_request, reply) => {
      const shown = await manifests.shown();
      return reply.header('etag', `"${shown.revision}"`).send(shown);
    },
  );
  app.post<Offered>(
    '/v1/manifest/validate',
    {
      config: { access: 'manifest:apply' },
      schema: {
        operationId: 'validateManifest',
        summary: 'Whether the host would take a manifest; 422 with all that is wrong',
        description: 'Loads the code of the plugins that it names, so it takes the right to apply.',
        body,
        response: { 200: closed({ valid: { const: true } }, ['valid']) },
      },
    },
    async (request) => {
      await manifests.validate(request.body.text);
      return { valid: true };
    },
  );
  app.post<Offered>(
    '/v1/manifest/plan',
    {
      config: { access: 'manifest:apply' },
      schema: {
        operationId: 'planManifest',
        summary: 'What a manifest would start, keep and retire',
        body,
        response: { 200: ref(plan) },
      },
    },
    async (request) => await manifests.plan(request.body.text),
  );
  app.post<Applied>(
    '/v1/manifest/apply',
    {
      config: { access: 'manifest:apply' },
      schema: {
        operationId: 'applyManifest',
        summary: 'Write the manifest and have the running host take it, or nothing at all',
        headers: {
          type: 'object',
          properties: {
            'if-match': {
              type: 'string',
              pattern: '^"[0-9a-f]{32}"$',
              description: 'Only when this is still the revision.',
            },
          },
        },
        body,
        response: { 200: ref(plan) },
      },
    },
    async (request) => {
      const revision = request.headers['if-match']?.slice(1, -1);
      const deed = { action: 'manifest.apply', target: 'plugins.json' };
      return await recorded(audit, request, deed, () =>
        manifests.apply(request.body.text, revision),
      );
    },
  );
  app.post(
    '/v1/reload',
    {
      config: { access: 'manifest:apply' },
      schema: {
        operationId: 'reload',
        summary: "Look at the manifest's file now",
        response: {
          200: closed({ outcome: { enum: ['applied', 'unchanged'] }, plan: ref(plan) }, [
            'outcome',
          ]),
        },
      },
    },
    async (request) => {
      const deed = { action: 'manifest.reload', target: 'plugins.json' };
      const reload = await recorded(audit, request, deed, () => manifests.reload());
      return reload.outcome === 'applied'
        ? { outcome: reload.outcome, plan: reload.plan }
        : { outcome: reload.outcome };
    },
  );
}
