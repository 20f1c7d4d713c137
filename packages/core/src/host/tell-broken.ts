import type { Logger } from '@octo/plugin-api';
import type { Issue } from '../errors/octo-error.ts';

/** Says which plugins have code that cannot be used. Their pipelines do not run; all others do. */
export function tellBroken(broken: ReadonlyMap<string, Issue>, logger: Logger): void {
  for (const [instance, { message }] of broken)
    logger.error({ instance, reason: message }, 'plugin cannot be used');
}
