import type { Logger } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import { segmentsOf } from '../manifest/pointer.ts';

/**
 * Says what waits for secrets since the manifest before, one line each; all else runs. What the plan does not tell of what
 * waits no longer is said, too.
 */
export function tellHeld({ held }: Manifest, logger: Logger, before?: Manifest): void {
  for (const [pointer, { message }] of held ?? []) {
    if (before?.held?.has(pointer) === true) continue;
    const [room, ...names] = segmentsOf(pointer);
    const kind = { plugins: 'plugin', pipelines: 'pipeline' }[room ?? ''] ?? 'host';
    logger.error({ [kind]: names.join('/'), reason: message }, 'held: waits for a secret');
  }
  for (const pointer of before?.held?.keys() ?? []) {
    const [room, ...names] = segmentsOf(pointer);
    if (room !== 'host' || held?.has(pointer) === true) continue;
    logger.warn({ host: names.join('/') }, 'not held any more; counts from the next start');
  }
}
