/** The service document, the catalogues that an account sees, and Bloomberg's prebuilt triggers. */
import { collectionPage } from './collection.ts';
import { PREBUILT } from './request-check.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';

export function serviceDocument(): RestAnswer {
  const links = { catalogs: 'catalogs/', notifications: 'notifications/sse' };
  return {
    status: 200,
    body: { '@type': 'EntryPoint', title: 'Data License on loopback', ...links },
  };
}

/** Bloomberg's own, and that of the account: the one whose subscription type is `scheduled`. */
export function catalogues(call: RestCall, account: string): RestAnswer {
  return collectionPage([viewOf('bbg'), viewOf(account)], call, { type: 'Catalogs' });
}

export function catalogue(identifier: string, account: string): RestAnswer {
  if (!['bbg', account].includes(identifier)) {
    throw new RestRefusal(404, 'There is no such catalogue.');
  }
  return { status: 200, body: viewOf(identifier) };
}

export function prebuiltTriggers(call: RestCall): RestAnswer {
  return collectionPage([...PREBUILT].map(triggerView), call, { type: 'triggers' });
}

export function prebuiltTrigger({ call }: { readonly call: RestCall }): RestAnswer {
  const identifier = call.path.split('/').findLast((segment) => segment !== '') ?? '';
  return { status: 200, body: triggerView(identifier) };
}

function viewOf(identifier: string): object {
  const isBloomberg = identifier === 'bbg';
  return {
    '@type': 'Catalog',
    '@id': `${identifier}/`,
    identifier,
    title: isBloomberg ? 'Bloomberg Data Catalog' : `Account ${identifier}`,
    description: isBloomberg ? 'Ready-made datasets' : 'Requests and their responses',
    subscriptionType: isBloomberg ? 'bulk' : 'scheduled',
  };
}

function triggerView(identifier: string): object {
  return { '@type': 'SubmitTrigger', '@id': `${identifier}/`, identifier };
}
