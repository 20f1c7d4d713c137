/** Which endpoint answers a call. */
import { download } from './download.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import { RestRefusal } from './rest-refusal.ts';
import { listingPage } from './response-listing.ts';
import { listed } from './response-store.ts';

type Endpoint = (
  call: RestCall,
  desk: RestDesk,
  names: readonly string[],
) => RestAnswer | Promise<RestAnswer>;

/** @throws RestRefusal 404 for a path that nobody knows, 405 for a verb that it does not have */
export async function answerFrom(call: RestCall, desk: RestDesk): Promise<RestAnswer> {
  const matching = ROUTES.filter(([, pattern]) => namesIn(pattern, call.segments) !== undefined);
  if (matching.length === 0) throw new RestRefusal(404, `Nothing is known at ${call.path}.`);
  const route = matching.find(([verbs]) => verbs.split(' ').includes(call.method));
  if (route === undefined) throw new RestRefusal(405, `${call.method} is not allowed here.`);
  const [, pattern, endpoint] = route;
  return endpoint(call, desk, namesIn(pattern, call.segments) ?? []);
}

const ROUTES: readonly (readonly [verbs: string, pattern: string, endpoint: Endpoint])[] = [
  ['GET', 'catalogs', (_, desk) => catalogues(desk)],
  ['GET', 'catalogs/*/content/responses', responses],
  ['GET HEAD', 'catalogs/*/content/responses/*', oneResponse],
];

/** The segments where the pattern has an asterisk. */
function namesIn(pattern: string, segments: readonly string[]): string[] | undefined {
  const parts = pattern.split('/').filter((part) => part !== '');
  if (parts.length !== segments.length) return undefined;
  if (!parts.every((part, i) => part === '*' || part === segments[i])) return undefined;
  return segments.filter((_, i) => parts[i] === '*');
}

function catalogues({ account }: RestDesk): RestAnswer {
  const contains = [
    { '@type': 'Catalog', '@id': 'bbg/', identifier: 'bbg', title: 'Bloomberg' },
    {
      '@type': 'Catalog',
      '@id': `${account}/`,
      identifier: account,
      title: 'Octo',
      subscriptionType: 'scheduled',
    },
  ];
  return { status: 200, body: { '@type': 'Catalogs', totalItems: 2, pageCount: 1, contains } };
}

function responses(call: RestCall, desk: RestDesk, [catalogue]: readonly string[]): RestAnswer {
  requireOwn(catalogue, desk);
  const { faults } = desk;
  const page = listingPage(desk.responses.all(), call);
  if (page.total === 0 && faults.emptyIs404) throw new RestRefusal(404, 'There are no responses.');
  const contains = page.responses.map((one) => listed(one, faults.digestIsWrong(one.key)));
  const view = {
    '@type': 'PartialCollectionView',
    '@id': call.query.size === 0 ? '' : `?${call.query.toString()}`,
    ...(page.next !== undefined && { next: page.next }),
  };
  const body = { '@type': 'ResponseCollection', totalItems: page.total, contains, view };
  return { status: 200, body };
}

function oneResponse(
  call: RestCall,
  desk: RestDesk,
  [catalogue, key = '']: readonly string[],
): RestAnswer {
  requireOwn(catalogue, desk);
  const response = desk.responses.get(key);
  if (response === undefined) throw new RestRefusal(404, 'There is no such response.');
  return download(response, call, desk.faults);
}

function requireOwn(catalogue: string | undefined, { account }: RestDesk): void {
  if (catalogue !== account) throw new RestRefusal(404, 'There is no such catalogue.');
}
