import type { Issue } from '../errors/octo-error.ts';
import type { Manifest } from './manifest.ts';

/**
 * A guard against a manifest that lost most of its pipelines on its way here: what is wrong when more than half of those
 * that run, and at least two, are missing from it. One that is switched off is meant to be off.
 * @param running ids of the pipelines that run
 */
export function removalsIssue(running: readonly string[], after: Manifest): Issue | undefined {
  if (after.allowRemovals) return undefined;
  const missing = running.filter((id) => !after.pipelines.has(id));
  if (missing.length < 2 || missing.length * 2 <= running.length) return undefined;
  const named = missing.slice(0, MOST_NAMED).map((id) => `'${id}'`);
  const more = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
  return after.source.issue(
    'OCTO_MANIFEST_REMOVALS',
    '/pipelines',
    `lacks ${missing.length} of the ${running.length} pipelines that run (${named.join(', ')}${more}); if that is meant, write "allowRemovals": true at the top`,
  );
}

const MOST_NAMED = 5;
