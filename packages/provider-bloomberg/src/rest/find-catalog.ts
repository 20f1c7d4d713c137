import { PluginError } from '@octo/plugin-api';
import type { ApiClient } from './api-client.ts';
import { membersOf } from './collection.ts';

/**
 * The account's own catalogue, or the configured one when this credential may see it.
 * @throws PluginError `validation` with code `NO_SUCH_CATALOG`
 */
export async function findCatalog(
  client: ApiClient,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const seen: string[] = [];
  for await (const member of membersOf(client, 'catalogs/', {}, signal)) {
    const { identifier, subscriptionType } = member;
    if (typeof identifier !== 'string') continue;
    if (wanted === undefined ? subscriptionType === 'scheduled' : identifier === wanted)
      return identifier;
    seen.push(identifier);
  }
  const what = wanted === undefined ? 'no catalogue of its own' : `no catalogue '${wanted}'`;
  throw new PluginError(
    'validation',
    `this credential sees ${what} (only: ${seen.join(', ') || 'none'}); check config/catalog, or ask Bloomberg to set the account up`,
    { code: 'NO_SUCH_CATALOG' },
  );
}
