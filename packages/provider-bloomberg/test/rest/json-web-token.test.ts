import { expect, test } from 'vitest';
import { credentialOf } from '../../src/credential.ts';
import { requestToken, signedToken } from '../../src/rest/json-web-token.ts';

test('the example of RFC 7515, appendix A.1, comes out byte for byte', () => {
  const key = Buffer.from(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'base64url',
  );
  const header = '{"typ":"JWT",\r\n "alg":"HS256"}';
  const payload = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';
  expect(signedToken(header, payload, key)).toBe(
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9' +
      '.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ' +
      '.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  );
});

test('a known request has a known token', () => {
  const token = requestToken(
    credentialOf(
      '0123456789abcdef0123456789abcdef',
      '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
    ),
    {
      method: 'get',
      url: new URL('https://api.bloomberg.com:8443/eap/catalogs/1234/a%20b/?page=2'),
      nowMs: 1_768_500_000_999,
      id: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    },
  );
  const [header = '', claims = '', signature] = token.split('.');
  expect(read(header)).toEqual({ typ: 'JWT', alg: 'HS256' });
  expect(read(claims)).toEqual({
    iss: '0123456789abcdef0123456789abcdef',
    iat: 1_768_499_820,
    nbf: 1_768_499_820,
    exp: 1_768_500_030,
    region: 'default',
    path: '/eap/catalogs/1234/a%20b/',
    method: 'GET',
    host: 'api.bloomberg.com',
    jti: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  });
  // openssl dgst -sha256 -mac HMAC -macopt hexkey:00112233… over the first two parts
  expect(signature).toBe('Zn-MveChT6HyU_lNlRoUWU90wNAOn4dWDWYOAvqR-cw');
});

function read(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}
