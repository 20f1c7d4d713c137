/** The listing of an account's responses: filtered, in pages that are linked by a token. */
import type { RestCall } from './rest-call.ts';
import { badQuery, wholeNumber } from './query.ts';
import type { StoredResponse } from './response-store.ts';

export interface ListingPage {
  readonly responses: readonly StoredResponse[];
  readonly total: number;
  /** What the next page is asked for with. */
  readonly next?: string;
}

/**
 * Newest first.
 * @throws RestRefusal 400 for a parameter that is unknown or wrong
 */
export function listingPage(
  responses: readonly StoredResponse[],
  { query }: RestCall,
): ListingPage {
  for (const name of query.keys()) {
    if (!PARAMETERS.has(name)) throw badQuery(name, 'Unknown parameter.');
  }
  const sinceMs = timeIn(query, 'snapshotStartDateTime') ?? -Infinity;
  const untilMs = timeIn(query, 'snapshotEndDateTime') ?? Infinity;
  const matching = responses
    .filter((one) => FILTERS.every((filter) => filter(one, query)))
    .filter(({ snapshotMs }) => snapshotMs >= sinceMs && snapshotMs <= untilMs);
  const limit = wholeNumber(query, 'limit', { least: 1, most: 1000 }) ?? DEFAULT_LIMIT;
  const token = query.get('next');
  const after = token === null ? undefined : placeIn(token);
  const ordered = matching.toSorted((a, b) => (comesBefore(placeOf(a), placeOf(b)) ? -1 : 1));
  const rest = ordered.filter((one) => after === undefined || comesBefore(after, placeOf(one)));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    responses: page,
    total: matching.length,
    ...(last !== undefined && rest.length > limit && { next: tokenOf(placeOf(last)) }),
  };
}

/** Where a response stands in the order. */
type Place = readonly [modifiedMs: number, key: string];

function placeOf({ key, modifiedMs }: StoredResponse): Place {
  return [modifiedMs, key];
}

function comesBefore([oneMs, oneKey]: Place, [otherMs, otherKey]: Place): boolean {
  return oneMs === otherMs ? oneKey < otherKey : oneMs > otherMs;
}

type Filter = (response: StoredResponse, query: URLSearchParams) => boolean;

const DEFAULT_LIMIT = 100;
const FILTERS: readonly Filter[] = [
  ({ key }, query) => key.startsWith(query.get('prefix') ?? ''),
  ({ requestId }, query) => sameOrAny(query.get('requestIdentifier'), requestId),
  ({ requestName }, query) => sameOrAny(query.get('requestName'), requestName),
];
const PARAMETERS = new Set([
  'limit',
  'next',
  'prefix',
  'requestIdentifier',
  'requestName',
  'snapshotStartDateTime',
  'snapshotEndDateTime',
]);

function sameOrAny(wanted: string | null, value: string): boolean {
  return wanted === null || wanted === value;
}

/** `2026-01-15T22:04:44`, in UTC unless it says otherwise. */
function timeIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(time)) throw badQuery(name, 'No date and time.');
  return time;
}

function tokenOf(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeIn(token: string): Place {
  const [, ms, key] = /^\[(\d+),"(.*)"\]$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (ms === undefined || key === undefined) throw badQuery('next', 'Unknown token.');
  return [Number(ms), key];
}
