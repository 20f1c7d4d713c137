import type { FastifyInstance } from 'fastify';
import { reaches, type Reach } from '../../auth/scope.ts';
import { type Issue, OctoError } from '../../errors/octo-error.ts';
import type { InstanceHealth } from '../../host/health.ts';
import type { InstanceConfig } from '../../manifest/manifest.ts';
import type { Breakers } from '../../policy/breakers.ts';
import { pointerTo } from '../../manifest/pointer.ts';
import { reachFor } from '../access.ts';
import { breakerOf } from '../breaker-of.ts';
import type { ApiParts } from '../parts.ts';
import { closed, listOf, pipelineId, plugin, pluginWithSchema, ref } from '../shapes.ts';

export function pluginRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { host, health, life, breakers } = parts;
  app.get(
    '/v1/plugins',
    {
      config: { access: 'plugins:read' },
      schema: {
        operationId: 'listPlugins',
        summary: 'The instances of the manifest, and how they are',
        response: { 200: closed({ plugins: listOf(ref(plugin)) }, ['plugins']) },
      },
    },
    async (request) => {
      const { instances } = await health.ask(life);
      const known = await breakers?.all();
      const reach = reachFor(request);
      const seen = [...host.manifest.plugins.values()].filter((one) =>
        isVisible(one, reach, parts),
      );
      return { plugins: seen.map((one) => pluginJson(one, parts, instances, known)) };
    },
  );
  app.get<{ Params: { id: string } }>(
    '/v1/plugins/:id',
    {
      config: { access: 'plugins:read' },
      schema: {
        operationId: 'showPlugin',
        summary: 'One instance, with the schema of its configuration',
        params: closed({ id: pipelineId }, ['id']),
        response: { 200: pluginWithSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = host.manifest.plugins.get(id);
      if (found === undefined || !isVisible(found, reachFor(request), parts))
        throw new OctoError(
          'OCTO_API_NOT_FOUND',
          `there is no plugin '${id}', or this key may not see it`,
        );
      const { instances } = await health.ask(life);
      const known = await breakers?.all();
      const configSchema = host.instances.get(id)?.definition.configSchema;
      return { ...pluginJson(found, parts, instances, known), configSchema };
    },
  );
}

type Parts = Pick<ApiParts, 'host'>;

function isVisible({ id }: InstanceConfig, reach: Reach, parts: Parts): boolean {
  return reach === 'all' || usersOf(id, parts).some((pipeline) => reaches(reach, pipeline));
}

function usersOf(id: string, { host }: Parts): string[] {
  const using = [...host.manifest.pipelines.values()].filter(
    ({ from, to }) => from === id || to === id,
  );
  return using.map((one) => one.id);
}

function pluginJson(
  { id, use, enabled }: InstanceConfig,
  parts: Parts,
  answers: readonly InstanceHealth[],
  known: Awaited<ReturnType<Breakers['all']>> | undefined,
): Record<string, unknown> {
  const { redact, instances, manifest } = parts.host;
  const instance = instances.get(id);
  const held = manifest.held?.get(pointerTo('/plugins', id));
  const said = answers.find((one) => one.id === id);
  return {
    id,
    use,
    enabled: enabled || held !== undefined,
    kind: instance?.definition.kind,
    name: instance?.definition.name,
    summary: instance?.definition.summary,
    state: instance?.state.state ?? absence(enabled, held),
    ...(held === undefined ? {} : { reason: redact(held.message) }),
    ...(instance?.state.state === 'failed' ? { reason: redact(instance.state.reason) } : {}),
    pipelines: usersOf(id, parts),
    breaker: known && breakerOf(parts.host.manifest, known, id),
    ...(said === undefined ? {} : { health: healthJson(said, redact) }),
  };
}

/** Why there is no living instance. */
function absence(enabled: boolean, held: Issue | undefined): 'defect' | 'held' | 'disabled' {
  if (held !== undefined) return 'held';
  return enabled ? 'defect' : 'disabled';
}

function healthJson(
  health: InstanceHealth,
  redact: (text: string) => string,
): Record<string, unknown> {
  // Without its cause: what it holds is for this process alone.
  const { state, ...rest } = health;
  const { tookMs, type, code, reason, remedy } = rest as Partial<Record<string, unknown>>;
  const told = typeof reason === 'string' ? redact(reason) : undefined;
  return { state, tookMs, type, code, reason: told, remedy };
}
