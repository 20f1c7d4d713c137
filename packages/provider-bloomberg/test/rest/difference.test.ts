import { expect, test } from 'vitest';
import { differenceOf } from '../../src/rest/difference.ts';

const IBM = { '@type': 'Identifier', identifierType: 'TICKER', identifierValue: 'IBM US Equity' };
const APPLE = { ...IBM, identifierValue: 'AAPL US Equity' };
const WANTED = {
  identifier: 'octoEod',
  universe: { '@type': 'Universe', contains: [IBM, APPLE] },
  trigger: 'https://api.bloomberg.com/eap/catalogs/1234/triggers/evening/',
};

test.each([
  ['itself', WANTED],
  ['what the vendor adds to it', { ...WANTED, issued: 'today', enabled: true }],
  ['another order of securities', { ...WANTED, universe: { contains: [APPLE, IBM] } }],
  ['an address in place of a part', { ...WANTED, universe: 'universe/' }],
  ['a view without a part', { identifier: 'octoEod' }],
  ['an address without its host', { trigger: '/eap/catalogs/1234/triggers/evening/' }],
  ['an address without its last slash', { trigger: WANTED.trigger.slice(0, -1) }],
])('%s is no difference', (_, stored) => {
  expect(differenceOf(WANTED, stored)).toBeUndefined();
});

test.each([
  ['/identifier', { identifier: 'another' }],
  ['/universe/contains', { universe: { contains: [IBM] } }],
  ['/universe/contains', { universe: { contains: [IBM, { ...APPLE, identifierType: 'ISIN' }] } }],
  ['/universe/@type', { universe: { '@type': 'Other' } }],
  ['/trigger', { trigger: 'https://api.bloomberg.com/eap/catalogs/1234/triggers/morning/' }],
  ['/trigger', { trigger: '/eap/catalogs/1234/triggers/other-evening/' }],
])('a difference is told by its place: %s', (place, stored) => {
  expect(differenceOf(WANTED, stored)).toBe(place);
});
