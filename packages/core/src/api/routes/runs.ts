import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { byOf } from '../../auth/identity.ts';
import { reaches } from '../../auth/scope.ts';
import { OctoError } from '../../errors/octo-error.ts';
import type { RunFilter, RunRecord, RunRequest } from '../../jobs/runs.ts';
import { pointerTo } from '../../manifest/pointer.ts';
import { parseTraceParent } from '../../observe/trace-context.ts';
import { reachFor } from '../access.ts';
import type { ApiParts } from '../parts.ts';
import { recorded } from '../recorded.ts';
import { runFileJson, runJson } from '../run-json.ts';
import {
  closed,
  instant,
  listOf,
  page,
  paging,
  pipelineId,
  ref,
  run,
  runFile,
  runId,
  STATES_OF_A_RUN,
  TRIGGERS,
} from '../shapes.ts';
import { noPipeline } from './pipelines.ts';

interface OneRun {
  Params: { id: string };
}
interface NewRun {
  Body: { pipeline: string; since?: string; path?: string; priority?: number };
  Headers: { 'idempotency-key'?: string; traceparent?: string };
}

const params = closed({ id: runId }, ['id']);

export function runRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { runs, host, audit } = parts;
  const { redact } = host;
  listRuns(app, parts);
  app.post<NewRun>(
    '/v1/runs',
    {
      config: { access: 'runs:write' },
      schema: {
        operationId: 'createRun',
        summary: 'Ask for a run; it is durable when this answers',
        headers: {
          type: 'object',
          properties: {
            'idempotency-key': {
              type: 'string',
              pattern: '^[\\x21-\\x7e]{1,200}$',
              description: 'Makes the request safe to repeat: the same key answers the same run.',
            },
            traceparent: {
              type: 'string',
              description:
                'Of W3C Trace Context: the spans of the run belong below it. Anything else is ignored.',
            },
          },
        },
        body: closed(
          {
            pipeline: pipelineId,
            since: { ...instant, description: 'Only files that the vendor changed since then.' },
            path: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^[^\\u0000]*$' },
            priority: { type: 'integer', minimum: -100, maximum: 100, default: 0 },
          },
          ['pipeline'],
        ),
        response: { 201: ref(run) },
      },
    },
    async (request, reply) => {
      const wanted = wantedRun(request);
      const known = host.manifest.pipelines.get(wanted.pipeline);
      if (known === undefined || !reaches(reachFor(request), wanted.pipeline))
        throw noPipeline(wanted.pipeline);
      // A run of one that waits for a secret waits with it.
      const isHeld = host.manifest.held?.has(pointerTo('/pipelines', wanted.pipeline)) === true;
      if (!known.enabled && !isHeld)
        throw new OctoError(
          'OCTO_PIPELINE_DISABLED',
          `pipeline '${wanted.pipeline}' is switched off in the manifest`,
        );
      const deed = { action: 'run.request', target: wanted.pipeline };
      const made = await recorded(audit, request, deed, () => runs.request(wanted));
      return reply.code(201).header('location', `/v1/runs/${made.id}`).send(runJson(made, redact));
    },
  );
  app.get<OneRun>(
    '/v1/runs/:id',
    {
      config: { access: 'runs:read' },
      schema: { operationId: 'showRun', summary: 'One run', params, response: { 200: ref(run) } },
    },
    async (request) => runJson(await visibleRun(parts, request), redact),
  );
  app.get<OneRun>(
    '/v1/runs/:id/files',
    {
      config: { access: 'runs:read' },
      schema: {
        operationId: 'listRunFiles',
        summary: 'What became of each file that the run touched',
        params,
        response: { 200: closed({ files: listOf(runFile) }, ['files']) },
      },
    },
    async (request) => {
      const { id } = await visibleRun(parts, request);
      return { files: (await runs.files(id)).map((one) => runFileJson(one, redact)) };
    },
  );
  for (const wish of ['cancel', 'retry'] as const)
    app.post<OneRun>(
      `/v1/runs/:id/${wish}`,
      {
        config: { access: 'runs:write' },
        schema: {
          operationId: `${wish}Run`,
          summary:
            wish === 'cancel'
              ? 'Stop a run, within two seconds'
              : 'A new run with the same request',
          params,
          response: wish === 'cancel' ? { 200: ref(run) } : { 201: ref(run) },
        },
      },
      async (request, reply) => {
        const { id } = await visibleRun(parts, request);
        const deed = { action: `run.${wish}`, target: id };
        const after = await recorded(audit, request, deed, () =>
          runs[wish](id, byOf(request.identity!)),
        );
        if (after === undefined) throw noRun(id);
        return reply.code(wish === 'cancel' ? 200 : 201).send(runJson(after, redact));
      },
    );
}

interface ListedRuns {
  Querystring: {
    pipeline?: string;
    state?: RunRecord['state'][];
    trigger?: RunRequest['trigger'];
    limit: number;
    cursor?: string;
  };
}

function listRuns(app: FastifyInstance, { runs, host }: ApiParts): void {
  app.get<ListedRuns>(
    '/v1/runs',
    {
      config: { access: 'runs:read' },
      schema: {
        operationId: 'listRuns',
        summary: 'Runs, newest first',
        querystring: closed({
          pipeline: pipelineId,
          state: { type: 'array', items: { enum: STATES_OF_A_RUN }, maxItems: 6 },
          trigger: { enum: TRIGGERS },
          ...paging,
        }),
        response: { 200: page('runs', ref(run)) },
      },
    },
    async (request) => {
      const { state, ...rest } = request.query;
      const reach = reachFor(request);
      const filter: RunFilter = { ...rest, ...(state === undefined ? {} : { states: state }) };
      if (filter.pipeline !== undefined && !reaches(reach, filter.pipeline)) return { runs: [] };
      const found = await runs.list(filter);
      const seen = found.runs.filter((one) => reaches(reach, one.request.pipeline));
      return { runs: seen.map((one) => runJson(one, host.redact)), next: found.next };
    },
  );
}

/** A run that the caller may see. @throws OctoError `OCTO_API_NOT_FOUND` for others, as for what is not there */
export async function visibleRun(
  { runs }: Pick<ApiParts, 'runs'>,
  request: FastifyRequest<OneRun>,
): Promise<RunRecord> {
  const { id } = request.params;
  const found = await runs.find(id);
  if (found === undefined || !reaches(reachFor(request), found.request.pipeline)) throw noRun(id);
  return found;
}

function noRun(id: string): OctoError {
  return new OctoError('OCTO_API_NOT_FOUND', `there is no run '${id}', or this key may not see it`);
}

/** Idempotency keys are the caller's own: two callers may use the same one. */
function wantedRun({ body, headers, identity }: FastifyRequest<NewRun>): RunRequest {
  const { since, ...rest } = body;
  const by = byOf(identity!);
  const key = headers['idempotency-key'];
  const { traceparent: traceParent } = headers;
  return {
    ...rest,
    by,
    trigger: 'api',
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(traceParent === undefined || parseTraceParent(traceParent) === undefined
      ? {}
      : { traceParent }),
    ...(key === undefined
      ? {}
      : { key: createHash('sha256').update(`${by}\0${key}`).digest('hex') }),
  };
}
