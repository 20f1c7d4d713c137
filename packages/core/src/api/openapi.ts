import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { ACTIONS, type Action } from '../auth/scope.ts';

const MEANING: Readonly<Record<Action, string>> = {
  'pipelines:read': 'See pipelines',
  'runs:read': 'See runs and their events',
  'runs:write': 'Ask for runs, cancel and repeat them',
  'files:read': 'Search files and see their lives',
  'files:write': 'Release and deliver again',
  'plugins:read': 'See plugins and their health',
  'manifest:read': 'See the manifest, without secrets',
  'manifest:apply': 'Validate, plan and apply manifests, reload',
  'audit:read': 'Read the audit',
  'metrics:read': 'Scrape metrics',
  admin: 'All of it, and the statistics',
};

/** The document's frame; everything else comes from the routes. */
export const describedApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Octo Host',
      version: '1',
      description:
        'Runs, files, plugins and the manifest of a host. Errors are problem details (RFC 9457); lists go on with "next".',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This host' }],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, or a token of POST /oauth/token',
        },
        oauth: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: '/oauth/token',
              scopes: Object.fromEntries(ACTIONS.map((action) => [action, MEANING[action]])),
            },
          },
        },
      },
    },
  },
  refResolver: {
    buildLocalReference: (json, _base: unknown, _part: unknown, at: number) =>
      typeof json.$id === 'string' ? json.$id : `def-${at}`,
  },
};
