/** What the two streams of events tell of a delivery. */
import type { EventForm, EventText } from './event-log.ts';
import type { ListedResponse } from './response-store.ts';

/** @param endedAtMs when it was delivered */
export function eventTexts(
  response: ListedResponse,
  account: string,
  endedAtMs: number,
): { readonly [form in EventForm]: EventText } {
  return {
    delivery: { name: 'ContentDelivered', data: JSON.stringify(response) },
    activity: { data: JSON.stringify(activityOf(response, account, endedAtMs)) },
  };
}

function activityOf(response: ListedResponse, account: string, endedAtMs: number): object {
  const { key, headers, metadata } = response;
  const [, digestAlgorithm, digestValue] =
    /^(\w+)=(.+)$/.exec(String(headers['Digest'] ?? '')) ?? [];
  const ending = key.slice(key.lastIndexOf('.'));
  return {
    '@type': 'DistributionPublishedActivity',
    generated: {
      '@id': `/eap/catalogs/${account}/content/responses/${key}`,
      identifier: `${metadata['DL_REQUEST_ID']}${ending}`,
      contentType: headers['Content-Type'],
      ...(digestValue !== undefined && { digest: { digestAlgorithm, digestValue } }),
      snapshot: {
        dataset: { identifier: metadata['DL_REQUEST_ID'], catalog: { identifier: account } },
      },
    },
    endedAtTime: new Date(endedAtMs).toISOString(),
  };
}
