import type { ErrorCode } from '../errors/catalogue.ts';
import type { Issue } from '../errors/octo-error.ts';
import { byteSize } from './byte-size.ts';
import { egressIssues } from './egress-issues.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { keyTemplateProblem } from './key-template.ts';
import type { ManifestSource } from './manifest-source.ts';
import { pointerTo } from './pointer.ts';
import { isTimezone, scheduleProblem } from './schedule-problem.ts';
import { didYouMean, listOf } from './suggest.ts';

/**
 * What the manifest's schema cannot say: names that must exist, templates, schedules. Works on whatever is there, so
 * that one reading finds everything; what has the wrong type is the schema's finding, not ours.
 */
export function checkManifest(manifest: unknown, source: ManifestSource): Issue[] {
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) return [];
  const { egress, plugins, pipelines, host } = fieldsOf(manifest);
  const names = { plugins: Object.keys(fieldsOf(plugins)), pipelines: fieldsOf(pipelines) };
  const issues = Object.entries(names.pipelines).flatMap(([id, pipeline]) => {
    const pointer = pointerTo('/pipelines', id);
    return checkPipeline({
      pipeline: fieldsOf(pipeline),
      pointer,
      source,
      instances: names.plugins,
    });
  });
  issues.push(...webhookIssues(fieldsOf(host), Object.keys(names.pipelines), source));
  issues.push(...checkHost(fieldsOf(host), source));
  issues.push(...egressIssues({ egress, plugins, pipelines }, source));
  if (names.plugins.length > 0 || Object.keys(names.pipelines).length > 0) return issues;
  return [source.issue('OCTO_MANIFEST_INVALID', '', 'names neither a plugin nor a pipeline')];
}

/** A webhook that waits for news of a pipeline that is not there would wait for ever. */
function webhookIssues(host: Fields, known: readonly string[], source: ManifestSource): Issue[] {
  return Object.entries(fieldsOf(host.notify)).flatMap(([name, webhook]) => {
    const { pipelines } = fieldsOf(webhook);
    const pointer = pointerTo(pointerTo('/host/notify', name), 'pipelines');
    return (Array.isArray(pipelines) ? (pipelines as unknown[]) : []).flatMap((id, index) => {
      if (typeof id !== 'string' || known.includes(id)) return [];
      const place = pointerTo(pointer, index);
      const problem = `names ${source.shown(place, id)}, which is not among the pipelines${didYouMean(id, known)}`;
      return [source.issue('OCTO_PIPELINE_UNKNOWN', place, problem)];
    });
  });
}

/** A private key does not stand in the manifest itself, which others may read. */
function checkHost(host: Fields, source: ManifestSource): Issue[] {
  const { key } = fieldsOf(fieldsOf(host['api'])['tls']);
  const pointer = '/host/api/tls/key';
  if (typeof key !== 'string' || source.references.has(pointer)) return [];
  const problem = 'is written out; name a file that only the host reads: "${file:tls/api.key}"';
  return [source.issue('OCTO_MANIFEST_INVALID', pointer, problem)];
}

interface PipelineSight {
  readonly pipeline: Fields;
  readonly pointer: string;
  readonly source: ManifestSource;
  readonly instances: readonly string[];
}

function checkPipeline(sight: PipelineSight): Issue[] {
  const { pipeline, pointer, source } = sight;
  const issue = (code: ErrorCode, key: string, problem: string | undefined) =>
    problem === undefined ? [] : [source.issue(code, `${pointer}/${key}`, problem)];
  return [
    ...issue('OCTO_INSTANCE_UNKNOWN', 'from', instanceProblem(sight, 'from')),
    ...issue('OCTO_INSTANCE_UNKNOWN', 'to', instanceProblem(sight, 'to')),
    ...issue('OCTO_KEY_TEMPLATE', 'key', templateProblem(sight)),
    ...['maxBytes', 'maxMemory'].flatMap((name) =>
      issue(
        'OCTO_MANIFEST_INVALID',
        `limits/${name}`,
        sizeProblem(fieldsOf(pipeline.limits)[name]),
      ),
    ),
    ...issue('OCTO_SCHEDULE_INVALID', 'schedule', textProblem(pipeline.schedule, scheduleProblem)),
    ...issue('OCTO_SCHEDULE_INVALID', 'every', periodsProblem(pipeline)),
    ...issue('OCTO_SCHEDULE_INVALID', 'timezone', timezoneProblem(sight)),
  ];
}

function instanceProblem(
  { pipeline, pointer, source, instances }: PipelineSight,
  key: string,
): string | undefined {
  const id = pipeline[key];
  if (typeof id !== 'string' || id === '' || instances.includes(id)) return undefined;
  const shown = source.shown(pointerTo(pointer, key), id);
  const known = instances.length === 0 ? '; there is none yet' : `; there is ${listOf(instances)}`;
  return `names ${shown}, which is not among the plugins${didYouMean(id, instances) || known}`;
}

function textProblem(
  value: unknown,
  problem: (text: string) => string | undefined,
): string | undefined {
  return typeof value === 'string' && value !== '' ? problem(value) : undefined;
}

/** The template's own words are shown only when they are the manifest's. */
function templateProblem({ pipeline, pointer, source }: PipelineSight): string | undefined {
  const problem = textProblem(pipeline.key, keyTemplateProblem);
  const hidden = source.references.has(pointerTo(pointer, 'key'));
  return problem !== undefined && hidden
    ? 'is no key template; such as {date:yyyy/MM/dd}/{name}'
    : problem;
}

function sizeProblem(size: unknown): string | undefined {
  const right = typeof size === 'string' && /^[1-9][0-9]{0,11}[BKMGT]/.test(size);
  return right && byteSize(size) === undefined ? 'is too large' : undefined;
}

function periodsProblem({ schedule, every }: Fields): string | undefined {
  if (schedule === undefined || every === undefined) return undefined;
  return `stands beside 'schedule'; a pipeline has one of both`;
}

function timezoneProblem({ pipeline, pointer, source }: PipelineSight): string | undefined {
  const { timezone } = pipeline;
  if (typeof timezone !== 'string' || isTimezone(timezone)) return undefined;
  const shown = source.shown(pointerTo(pointer, 'timezone'), timezone);
  const meant = didYouMean(timezone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
  return `names ${shown}, which is no IANA time zone${meant || "; such as 'UTC' or 'America/New_York'"}`;
}
