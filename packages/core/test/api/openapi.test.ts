import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openapiText } from '../../src/api/openapi-text.ts';

const file = join(import.meta.dirname, '../../schema/openapi.json');

test('schema/openapi.json is what the routes say; else run node --conditions=octo-source tools/write-openapi.ts', async () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(await openapiText()));
});

test('it is OpenAPI 3.1, by a validator that is not ours', async () => {
  const validator = new Validator();
  const result = await validator.validate(readFileSync(file, 'utf8'));
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
  const wrong = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), info: {} };
  expect((await new Validator().validate(JSON.stringify(wrong))).valid).toBe(false);
});

test('every operation has a name of its own, a summary, and a problem for what goes wrong', () => {
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<
      string,
      Record<string, { operationId: string; summary: string; responses: object }>
    >;
  };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { summary, responses } of operations) {
    expect(summary).not.toBe('');
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
  }
});
