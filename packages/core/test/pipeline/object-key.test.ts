import { describe, expect, test } from 'vitest';
import { fieldsOf, numberedKey, objectKey } from '../../src/pipeline/object-key.ts';

const file = {
  path: 'outbound/2026/northwind.csv.gz',
  name: 'northwind.csv.gz',
  size: 1,
  mtimeMs: Date.UTC(2026, 0, 5, 23, 59, 59),
  fields: { merchant: 'north/wind', kind: 'details' },
};
const words = { pipeline: 'daily', provider: 'affirm', file, name: 'northwind.csv' };

describe('the key of an object', () => {
  test('is the template with its words filled in', () => {
    expect(objectKey('{provider}/{pipeline}/{kind}/{name}', words)).toBe(
      'affirm/daily/details/northwind.csv',
    );
  });

  test('takes the date from the file, in UTC', () => {
    expect(objectKey('{date:yyyy/MM/dd}/{date:HHmmss}/{name}', words)).toBe(
      '2026/01/05/235959/northwind.csv',
    );
  });

  test('may keep the folders of the path', () => {
    expect(objectKey('raw/{path}', words)).toBe('raw/outbound/2026/northwind.csv.gz');
  });

  test('gets no further folder from a vendor field', () => {
    expect(objectKey('{merchant}/{name}', words)).toBe('north_wind/northwind.csv');
  });

  test.each(['..', '.', '../../etc/passwd', 'a/../b', '/absolute', 'a//b', 'x\u0000y', 'a\\b'])(
    'has no way out of the place for the path %j',
    (path) => {
      const key = objectKey('in/{path}', { ...words, file: { ...file, path } });
      expect(key.split('/')).not.toContain('..');
      expect(key.split('/')).not.toContain('.');
      expect(key).toMatch(/^in\/./);
      for (const unsafe of ['\u0000', '\\']) expect(key).not.toContain(unsafe);
    },
  );

  test('is refused when a word has no value for the file', () => {
    expect(() => objectKey('{region}/{name}', words)).toThrow(
      "the key template names {region}, which 'northwind.csv.gz' does not have",
    );
  });

  test('is refused when it would be longer than a store takes', () => {
    expect(() => objectKey('{name}', { ...words, name: 'ä'.repeat(600) })).toThrow('1024 bytes');
  });
});

test('later versions of a name are numbered before the extension', () => {
  expect([0, 1, 2].map((index) => numberedKey('in/settlement.csv', index))).toEqual([
    'in/settlement.csv',
    'in/settlement~2.csv',
    'in/settlement~3.csv',
  ]);
  expect(numberedKey('in.d/settlement', 1)).toBe('in.d/settlement~2');
  expect(numberedKey('in/.hidden', 1)).toBe('in/.hidden~2');
});

test('the words that a provider must supply are those that are not fixed', () => {
  expect(fieldsOf('{pipeline}/{merchant}/{date:yyyy}/{name}{kind}')).toEqual(['merchant', 'kind']);
});
