import { expect, test } from 'vitest';
import { environmentSecrets } from '../../src/cli/environment-secrets.ts';

test('the password of the database is known in both of its spellings', () => {
  const url = 'postgres://octo:p%40ss%2Fword@db.test:5432/octo';
  expect(environmentSecrets({ DATABASE_URL: url })).toEqual([url, 'p%40ss%2Fword', 'p@ss/word']);
});

test.each([undefined, '', 'postgres://db.test/octo'])('%j holds no password', (url) => {
  expect(environmentSecrets({ DATABASE_URL: url })).toEqual(url ? [url] : []);
});

test('what cannot be decoded is taken as it stands', () => {
  const url = 'postgres://octo:100%@db.test/octo';
  expect(environmentSecrets({ DATABASE_URL: url })).toEqual([url, '100%', '100%']);
});
