import type { Logger } from '@octo/plugin-api';
import type { HostSettings } from '../manifest/host-settings.ts';
import { noTraces, type Traces } from '../telemetry/traces.ts';
import type { Environment } from './environment.ts';
import { packageVersion } from './package-version.ts';

/** The traces that the settings ask for, of the host of this name. Their code is loaded when somebody asks. */
export async function tracesFor(
  { telemetry }: HostSettings,
  host: string,
  logger: Logger,
  { clock, cwd, redactor }: Environment,
): Promise<Traces> {
  if (telemetry === undefined) return noTraces;
  redactor.add(Object.values(telemetry.headers));
  const { openTraces } = await import('../telemetry/open-traces.ts');
  const version = packageVersion('@octo/core', cwd) ?? 'unknown';
  return openTraces({ ...telemetry, version, host, clock, logger, redact: redactor.redact });
}
