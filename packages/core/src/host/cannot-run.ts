import { type Issue, OctoError } from '../errors/octo-error.ts';
import type { Manifest, PipelineConfig } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { didYouMean, listOf } from '../manifest/suggest.ts';
import { escapeText } from '../observe/escape-text.ts';

/** @throws OctoError `OCTO_PIPELINE_UNKNOWN`, `OCTO_PIPELINE_DISABLED`, `OCTO_SECRETS_*` for one that is held */
export function enabledPipeline({ pipelines, held }: Manifest, id: string): PipelineConfig {
  const config = pipelines.get(id);
  if (config === undefined) {
    const known = [...pipelines.keys()];
    const hint = didYouMean(id, known) || (known.length > 0 ? `; there is ${listOf(known)}` : '');
    const message = `there is no pipeline '${escapeText(id)}'${hint}`;
    throw new OctoError('OCTO_PIPELINE_UNKNOWN', message);
  }
  if (config.enabled) return config;
  const waits = held?.get(pointerTo('/pipelines', id));
  if (waits !== undefined)
    throw new OctoError(waits.code, `pipeline '${id}' cannot run: ${waits.message}`);
  const message = `pipeline '${id}' is switched off: "enabled": false`;
  throw new OctoError('OCTO_PIPELINE_DISABLED', message);
}

/** Why an instance that a pipeline needs is not there. */
export function missingInstance(
  { id }: PipelineConfig,
  instance: string,
  broken: Issue | undefined,
): OctoError {
  const [code, why] =
    broken === undefined
      ? ([
          'OCTO_PIPELINE_DISABLED',
          `its plugin '${instance}' is switched off: "enabled": false`,
        ] as const)
      : (['OCTO_INSTANCE_FAILED', broken.message] as const);
  return new OctoError(code, `pipeline '${id}' cannot run: ${why}`);
}

/** @param reason redacted */
export function notStarted(
  { id }: PipelineConfig,
  instance: string,
  reason: string,
  cause: unknown,
): OctoError {
  const message = `pipeline '${id}' cannot run: plugin '${instance}' did not start: ${reason}`;
  return new OctoError('OCTO_INSTANCE_FAILED', message, { cause, instance });
}
