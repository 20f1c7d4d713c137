/** Collections in pages: `page` from 1, `pageSize` 20 unless asked otherwise. */
import { badQuery, wholeNumber } from './query.ts';
import type { JsonAnswer, RestCall } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';

export interface CollectionShape {
  /** `@type` of the collection. */
  readonly type: string;
  /** Parameters beside `page` and `pageSize`. */
  readonly parameters?: readonly string[];
}

/** @throws RestRefusal 400 for a wrong parameter, 404 for a page behind the last one */
export function collectionPage(
  items: readonly object[],
  { query }: RestCall,
  { parameters = [], type }: CollectionShape,
): JsonAnswer {
  for (const name of query.keys()) {
    if (![...PAGING, ...parameters].includes(name)) throw badQuery(name, 'Unknown parameter.');
  }
  const pageSize = wholeNumber(query, 'pageSize', { least: 1, most: 1000 }) ?? 20;
  const page = wholeNumber(query, 'page', { least: 1, most: 1_000_000 }) ?? 1;
  const pageCount = Math.max(1, Math.ceil(items.length / pageSize));
  if (page > pageCount) throw new RestRefusal(404, `There are only ${pageCount} pages.`);
  const to = (target: number) => linkTo(query, target);
  const view = {
    '@type': 'PartialCollectionView',
    '@id': to(page),
    first: to(1),
    ...(page > 1 && { previous: to(page - 1) }),
    ...(page < pageCount && { next: to(page + 1) }),
    last: to(pageCount),
  };
  const contains = items.slice((page - 1) * pageSize, page * pageSize);
  const body = { '@type': type, totalItems: items.length, pageCount, contains, view };
  return { status: 200, body };
}

const PAGING = ['page', 'pageSize'];

function linkTo(query: URLSearchParams, page: number): string {
  const link = new URLSearchParams(query);
  link.set('page', String(page));
  return `?${link.toString()}`;
}
