import type { Logger } from '@octo/plugin-api';
import type { Served } from '../jobs/dispatcher.ts';
import { scheduleOf } from '../jobs/schedule.ts';
import type { Timed } from '../jobs/scheduler.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { childLogger } from '../observe/child-logger.ts';

export interface ServedPipelines {
  /** Every enabled pipeline, by id. */
  readonly served: ReadonlyMap<string, Served>;
  /** Those with a schedule. */
  readonly timed: ReadonlyMap<string, Timed>;
  /** Those without: they run only by hand. */
  readonly unscheduled: readonly string[];
}

/** What a host has to do for the enabled pipelines of a manifest. */
export function servedPipelines(
  { pipelines }: Manifest,
  logger: Logger,
  redact: (text: string) => string,
): ServedPipelines {
  const served = new Map<string, Served>();
  const timed = new Map<string, Timed>();
  for (const [id, config] of pipelines) {
    if (!config.enabled) continue;
    const schedule = scheduleOf(config);
    const own = childLogger(logger, { pipeline: id, instance: config.from }, redact);
    served.set(id, { ...config.runs, logger: own });
    if (schedule !== undefined) timed.set(id, { schedule, catchUp: config.catchUp, logger: own });
  }
  return { served, timed, unscheduled: [...served.keys()].filter((id) => !timed.has(id)) };
}
