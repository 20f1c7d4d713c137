import type { FastifyInstance } from 'fastify';
import { reaches } from '../../auth/scope.ts';
import { OctoError } from '../../errors/octo-error.ts';
import type { PipelineConfig } from '../../manifest/manifest.ts';
import { reachFor } from '../access.ts';
import type { ApiParts } from '../parts.ts';
import { closed, listOf, pipeline, pipelineId, ref } from '../shapes.ts';

export function pipelineRoutes(app: FastifyInstance, { host, runs }: ApiParts): void {
  app.get(
    '/v1/pipelines',
    {
      config: { access: 'pipelines:read' },
      schema: {
        operationId: 'listPipelines',
        summary: 'The pipelines that the host serves',
        response: { 200: closed({ pipelines: listOf(ref(pipeline)) }, ['pipelines']) },
      },
    },
    async (request) => {
      const depth = await runs.depth();
      const reach = reachFor(request);
      const seen = [...host.manifest.pipelines.values()].filter(({ id }) => reaches(reach, id));
      return { pipelines: seen.map((one) => pipelineJson(one, depth)) };
    },
  );
  app.get<{ Params: { id: string } }>(
    '/v1/pipelines/:id',
    {
      config: { access: 'pipelines:read' },
      schema: {
        operationId: 'showPipeline',
        summary: 'One pipeline',
        params: closed({ id: pipelineId }, ['id']),
        response: { 200: ref(pipeline) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = host.manifest.pipelines.get(id);
      if (found === undefined || !reaches(reachFor(request), id)) throw noPipeline(id);
      return pipelineJson(found, await runs.depth());
    },
  );
}

export function noPipeline(id: string): OctoError {
  return new OctoError(
    'OCTO_API_NOT_FOUND',
    `there is no pipeline '${id}', or this key may not see it`,
  );
}

type Depth = ReadonlyMap<string, { readonly queued: number; readonly running: number }>;

function pipelineJson(config: PipelineConfig, depth: Depth): Record<string, unknown> {
  const { id, enabled, from, to, steps, key, schedule, timezone, everyMs } = config;
  const { queued = 0, running = 0 } = depth.get(id) ?? {};
  const names = steps.map(({ name }) => name);
  const times = schedule === undefined ? { every: everyMs } : { schedule, timezone };
  return { id, enabled, from, to, steps: names, key, ...times, queued, running };
}
