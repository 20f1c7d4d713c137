import { expect, test } from 'vitest';
import {
  parseScope,
  parseScopes,
  reaches,
  reachOf,
  withinScopes,
  scopeText,
} from '../../src/auth/scope.ts';

test.each(['runs:write', 'runs:write:affirm-*', 'files:read:trades', 'admin'])(
  '%s is a scope',
  (text) => {
    expect(scopeText(parseScope(text))).toBe(text);
  },
);

test.each([
  ['', 'is not known'],
  ['runs', 'is not known'],
  ['runs:delete', 'is not known'],
  ['admin:trades', 'is not known'],
  ['constructor', 'is not known'],
  ['manifest:apply:trades', 'cannot be narrowed'],
  ['runs:write:', 'names no pipeline'],
  ['runs:write:*', 'names no pipeline'],
  ['runs:write:a*b', 'names no pipeline'],
  ['runs:write:a:b', 'is not known'],
])('%s is none', (text, problem) => {
  expect(() => parseScope(text)).toThrow(problem);
});

test('a scope reaches the pipelines that it names, and no others', () => {
  const scopes = parseScopes(['runs:write:affirm-*', 'runs:write:trades', 'runs:read']);
  const reach = reachOf(scopes, 'runs:write');
  const ids = ['affirm-us', 'affirm-', 'affirm', 'trades', 'trades-2'];
  expect(ids.filter((id) => reaches(reach, id))).toEqual(['affirm-us', 'affirm-', 'trades']);
  expect(reachOf(scopes, 'runs:read')).toBe('all');
  expect(reachOf(scopes, 'files:read')).toEqual([]);
  expect(reachOf(parseScopes(['admin']), 'manifest:apply')).toBe('all');
});

test('nobody gets more by asking', () => {
  const granted = parseScopes(['runs:write:affirm-*', 'files:read']);
  const asked = [
    'runs:write',
    'runs:write:affirm-u*',
    'runs:write:affirm-us',
    'runs:write:aff*',
    'runs:write:trades',
    'files:read:trades',
    'admin',
  ];
  expect(withinScopes(parseScopes(asked), granted).map(scopeText)).toEqual([
    'runs:write:affirm-u*',
    'runs:write:affirm-us',
    'files:read:trades',
  ]);
});
