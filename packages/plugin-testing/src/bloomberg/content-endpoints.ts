/** The endpoints of what was delivered: the listing, the download, and the streams that tell of it. */
import { download } from './download.ts';
import type { EventForm } from './event-log.ts';
import type { RestAnswer } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';
import type { Visit } from './rest-routes.ts';
import { listingPage } from './response-listing.ts';
import { listed } from './response-store.ts';

export function responses({ call, desk }: Visit): RestAnswer {
  const { faults } = desk;
  const sinceMs = desk.now() - desk.listedMs;
  const kept = desk.responses.all().filter(({ modifiedMs }) => modifiedMs >= sinceMs);
  const page = listingPage(kept, call);
  if (page.total === 0 && faults.emptyIs404) throw new RestRefusal(404, 'There are no responses.');
  const contains = page.responses.map((one) => listed(one, faults.digestIsWrong(one.key)));
  const { query } = call;
  const view = {
    '@type': 'PartialCollectionView',
    '@id': query.size === 0 ? '' : `?${query.toString()}`,
    ...(page.next !== undefined && { next: nextLink(query, page.next, faults.bareTokens) }),
  };
  const body = { '@type': 'ResponseCollection', totalItems: page.total, contains, view };
  return { status: 200, body };
}

function nextLink(query: URLSearchParams, token: string, bare: boolean): string {
  if (bare) return token;
  const next = new URLSearchParams(query);
  next.set('next', token);
  return `?${next.toString()}`;
}

export function oneResponse({ call, desk, names: [key = ''] }: Visit): RestAnswer {
  const response = desk.responses.get(key);
  if (response === undefined) throw new RestRefusal(404, 'There is no such response.');
  return download(response, call, desk.faults);
}

export function eventStream({ admission, call, desk }: Visit, form: EventForm): RestAnswer {
  if (!/(^|[\s,])text\/event-stream\b/.test(call.headers['accept'] ?? '')) {
    throw new RestRefusal(406, 'Events are sent as text/event-stream only.');
  }
  const lastEventId = call.headers['last-event-id'];
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    stream: (connection) =>
      desk.events.open(connection, form, {
        ...(lastEventId !== undefined && { lastEventId }),
        ...(admission.untilMs !== undefined && { untilMs: admission.untilMs }),
      }),
  };
}
