import type { FastifyInstance, FastifyRequest } from 'fastify';
import { byOf } from '../../auth/identity.ts';
import { reaches } from '../../auth/scope.ts';
import { OctoError } from '../../errors/octo-error.ts';
import type { Delivery, DeliveryState } from '../../ledger/delivery.ts';
import { deliveryJson, eventJson } from '../../ledger/delivery-json.ts';
import { reachFor } from '../access.ts';
import { cursorOf, positionOf } from '../cursor.ts';
import type { ApiParts } from '../parts.ts';
import { recorded } from '../recorded.ts';
import {
  closed,
  file,
  fileId,
  fileWithHistory,
  instant,
  page,
  paging,
  pipelineId,
  ref,
  STATES_OF_A_FILE,
} from '../shapes.ts';

interface OneFile {
  Params: { id: string };
}
interface Searched {
  Querystring: {
    name?: string;
    sha256?: string;
    state?: DeliveryState[];
    pipeline?: string;
    since?: string;
    until?: string;
    limit: number;
    cursor?: string;
  };
}

const params = closed({ id: fileId }, ['id']);

export function fileRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { ledger, files, audit } = parts;
  searchFiles(app, parts);
  app.get<OneFile>(
    '/v1/files/:id',
    {
      config: { access: 'files:read' },
      schema: {
        operationId: 'showFile',
        summary: "A file's whole life over all runs",
        params,
        response: { 200: fileWithHistory },
      },
    },
    async (request) => {
      const found = await visibleFile(parts, request);
      return { ...deliveryJson(found), history: (await ledger.history(found.id)).map(eventJson) };
    },
  );
  const wishes = {
    redeliver: {
      summary: 'Make a delivered file visible again, should it be gone from the sink',
      refusal: 'is not delivered: there is nothing to deliver again',
      act: (id: string, by: string) => files.redeliver(id, by),
    },
    release: {
      summary: 'Let a quarantined file be tried again by the next run',
      refusal: 'is not quarantined, or may not be opened as the vendor offers it',
      act: (id: string) => ledger.release(id),
    },
  };
  for (const [wish, { summary, refusal, act }] of Object.entries(wishes))
    app.post<OneFile>(
      `/v1/files/:id/${wish}`,
      {
        config: { access: 'files:write' },
        schema: { operationId: `${wish}File`, summary, params, response: { 200: ref(file) } },
      },
      async (request) => {
        const { id, pipeline } = await visibleFile(parts, request);
        const deed = { action: `file.${wish}`, target: id, details: { pipeline } };
        const isDone = await recorded(audit, request, deed, () => act(id, byOf(request.identity!)));
        if (!isDone) throw new OctoError('OCTO_API_CONFLICT', `the file ${id} ${refusal}`);
        return deliveryJson(await visibleFile(parts, request));
      },
    );
}

function searchFiles(app: FastifyInstance, { files }: ApiParts): void {
  app.get<Searched>(
    '/v1/files',
    {
      config: { access: 'files:read' },
      schema: {
        operationId: 'searchFiles',
        summary: 'Files that the ledger knows, newest first',
        querystring: closed({
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 1024,
            description: 'A name, a path, an id or a key; * matches anything.',
          },
          sha256: {
            type: 'string',
            pattern: '^[0-9a-f]{64}$',
            description: 'Of the plain or of the raw bytes.',
          },
          state: { type: 'array', items: { enum: STATES_OF_A_FILE }, maxItems: 10 },
          pipeline: pipelineId,
          since: { ...instant, description: 'Discovered at or after.' },
          until: { ...instant, description: 'Discovered before.' },
          ...paging,
        }),
        response: { 200: page('files', ref(file)) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const found = await files.search({ ...queryOf(request), limit: limit + 1 });
      const shown = found.slice(0, limit);
      const last = found.length > limit ? shown.at(-1) : undefined;
      return {
        files: shown.map(deliveryJson),
        next: last === undefined ? undefined : cursorOf(last.discovered),
      };
    },
  );
}

function queryOf(request: FastifyRequest<Searched>) {
  const { name, sha256, state, pipeline, since, until, cursor } = request.query;
  const reach = reachFor(request);
  return {
    ...(name === undefined ? {} : { match: name }),
    ...(sha256 === undefined ? {} : { sha256: Buffer.from(sha256, 'hex') }),
    ...(state === undefined ? {} : { states: state }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(reach === 'all' ? {} : { pipelines: reach }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(cursor === undefined ? {} : { before: positionOf(cursor) }),
  };
}

async function visibleFile(
  { ledger }: Pick<ApiParts, 'ledger'>,
  request: FastifyRequest<OneFile>,
): Promise<Delivery> {
  const { id } = request.params;
  const found = await ledger.find(id);
  if (found !== undefined && reaches(reachFor(request), found.pipeline)) return found;
  throw new OctoError('OCTO_API_NOT_FOUND', `there is no file '${id}', or this key may not see it`);
}
