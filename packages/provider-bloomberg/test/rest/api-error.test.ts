import { expect, test } from 'vitest';
import { apiError, serverTimeOf } from '../../src/rest/api-error.ts';

const SERVICE = {
  '@context': { '@vocab': 'https://api.bloomberg.com/eap/ontology#' },
  '@type': 'Status',
  statusCode: 400,
  title: 'Bad Request',
  description: 'The request body is not valid.',
  errors: [
    {
      detail: 'Invalid value provided.',
      source: { pointer: '/universe', location: 'body' },
    },
  ],
};
const GATEWAY = {
  error: 'unauthorized_client',
  error_description: 'No definition of jwt found in header or query string.',
  errors: [
    {
      id: '1',
      title: 'Unauthorized',
      detail: 'The token has expired.',
      status: '401',
      errorCode: 'unauthorized-client',
      meta: { 'server-time': '2026-01-15T22:04:44.000Z' },
    },
  ],
};

test.each([
  [400, 'validation', 'BAD_REQUEST'],
  [401, 'auth', 'LOGIN_REFUSED'],
  [403, 'auth', 'NOT_ENTITLED'],
  [404, 'not_found', 'NO_SUCH_THING'],
  [406, 'validation', 'API_REFUSED'],
  [409, 'validation', 'ALREADY_THERE'],
  [429, 'rate_limit', 'TOO_MANY_REQUESTS'],
  [500, 'provider_down', 'API_DOWN'],
  [503, 'provider_down', 'API_DOWN'],
])('%i is %s', (status, type, code) => {
  expect(refused(status, '')).toMatchObject({ type, code });
});

test("the service's envelope says what is wrong and where", () => {
  const { message } = refused(400, JSON.stringify(SERVICE));
  expect(message).toContain('The request body is not valid.');
  expect(message).toContain('Invalid value provided. (/universe)');
  expect(message).toContain('400 to POST /eap/catalogs/');
  expect(message).toContain('x-request-id r-1');
});

test("the gateway's envelope says why, once, and both things to look at", () => {
  const { message } = refused(401, JSON.stringify(GATEWAY));
  expect(message.match(/No definition of jwt/g)).toHaveLength(1);
  expect(message).toContain('allow-list');
  expect(message).toContain('credential');
});

test.each(['<html>bad gateway</html>', '[]', 'null', '{"errors":{"detail":1}}', '\u0000'])(
  'a body that is no envelope (%s) harms nothing',
  (body) => {
    expect(refused(502, body)).toMatchObject({ type: 'provider_down' });
    expect(serverTimeOf(body)).toBeUndefined();
  },
);

test('control characters of a server reach no terminal', () => {
  const body = JSON.stringify({ description: 'a\u001b[2Jb\r\nc\u202e', errors: [] });
  expect(refused(400, body).message).not.toMatch(/[\p{C}]/u);
});

test.each([
  ['2026-01-15T22:04:44.000Z', Date.UTC(2026, 0, 15, 22, 4, 44)],
  [1_768_514_684, 1_768_514_684_000],
  ['1768514684123', 1_768_514_684_123],
  ['tomorrow', undefined],
  [null, undefined],
])('a server time of %s is understood', (time, ms) => {
  expect(serverTimeOf(JSON.stringify({ errors: [{ meta: { 'server-time': time } }] }))).toBe(ms);
});

function refused(status: number, body: string) {
  const url = new URL('https://api.bloomberg.com/eap/catalogs/?page=1');
  return apiError({ method: 'POST', url, status, body, requestId: 'r-1' });
}
