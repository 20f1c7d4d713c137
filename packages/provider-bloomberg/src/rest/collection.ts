import { PluginError } from '@octo/plugin-api';
import type { ApiCall, ApiClient } from './api-client.ts';

/**
 * The members of a collection, page by page. A collection that is not there (older servers, before anything was
 * delivered) is an empty one.
 * @throws PluginError as the client does; `provider_down` with code `BAD_COLLECTION`
 */
export async function* membersOf(
  client: ApiClient,
  path: string,
  query: ApiCall['query'],
  signal: AbortSignal,
): AsyncGenerator<{ readonly [name: string]: unknown }, void, undefined> {
  const seen = new Set<string>();
  let url: URL | undefined = client.url(path, query);
  while (url !== undefined) {
    if (seen.has(url.href)) throw badCollection(path, 'its pages name each other in a circle');
    seen.add(url.href);
    const page = await client.json({ path: url, accept: [404] }, signal);
    if (page === undefined) return;
    const { contains, view } = objectOf(page) ?? {};
    if (!Array.isArray(contains)) throw badCollection(path, "it has no list 'contains'");
    for (const member of contains) {
      const object = objectOf(member);
      if (object === undefined) throw badCollection(path, 'a member of it is no object');
      yield object;
    }
    url = nextOf(view, url);
  }
}

/** The value, when it is an object and no list. */
export function objectOf(value: unknown): { readonly [name: string]: unknown } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: unknown })
    : undefined;
}

/** The next page is told as an address, as the query of one, or as the bare value of `next`. */
function nextOf(view: unknown, url: URL): URL | undefined {
  const next = objectOf(view)?.['next'];
  if (typeof next !== 'string' || next === '') return undefined;
  if (!/^([?/]|https?:)/.test(next)) {
    const target = new URL(url);
    target.searchParams.set('next', next);
    return target;
  }
  const target = URL.parse(next, url);
  return target?.origin === url.origin ? target : undefined;
}

function badCollection(path: string, what: string): PluginError {
  return new PluginError(
    'provider_down',
    `Bloomberg's answer to ${path} is no collection: ${what}; it is tried again later`,
    { code: 'BAD_COLLECTION' },
  );
}
