/** A stored component or a part of a request, as it is shown: what it contains comes in pages. */
import { collectionPage } from './collection.ts';
import type { Component } from './component-check.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';

/** @throws RestRefusal 400, 404 as for any collection */
export function componentView(
  component: Component,
  call: RestCall,
  further: object = {},
): RestAnswer {
  const { contains, ...own } = component;
  if (contains === undefined) return { status: 200, body: { ...own, ...further } };
  const shape = { type: own['@type'], parameters: ['requestType'] };
  const { body } = collectionPage(contains, call, shape);
  return { status: 200, body: { ...own, ...further, ...body } };
}
