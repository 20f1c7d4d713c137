import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { OutsideIssuer } from '../../src/auth/outside-issuer.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { nameServer } from '../egress/name-server.ts';

let server: Server;
let port = 0;
let paths: (string | undefined)[] = [];
let jwk: JWK;
let token: string;
beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  token = await new SignJWT({ scope: 'runs:read' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('https://login.test')
    .setAudience('octo')
    .setSubject('somebody')
    .setExpirationTime('5m')
    .sign(privateKey);
  server = createServer((request, response) => {
    paths.push(request.url);
    if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end();
    else response.end(JSON.stringify({ keys: [jwk], padding: 'x'.repeat(paddingBytes) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());
let paddingBytes = 0;
beforeEach(() => {
  paths = [];
  paddingBytes = 0;
});

function issuer(path: string, addresses: readonly string[], hosts: readonly string[] = []) {
  const settings = {
    url: 'https://login.test',
    audience: 'octo',
    jwks: `http://login.test:${port}${path}`,
    scopeClaim: 'scope',
    allow: { hosts, privateNetworks: false },
  };
  return new OutsideIssuer(settings, systemClock, nameServer(addresses, addresses).lookup);
}

test('the keys of an issuer are read where the manifest lets them be', async () => {
  const identity = await issuer('/keys', ['127.0.0.1'], ['login.test']).proved(token);
  expect(identity).toMatchObject({ kind: 'outside', id: 'somebody' });
  expect(paths).toEqual(['/keys']);
});

test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254'])(
  'keys whose name leads to %s are not asked for, and it is said how to let them be',
  async (address) => {
    await expect(issuer('/keys', [address]).proved(token)).rejects.toMatchObject({
      code: 'EGRESS_REFUSED',
      message: expect.stringMatching(/^login\.test leads to .* beside its jwks$/),
    });
    expect(paths).toEqual([]);
  },
);

test('no redirect is followed, and an endless answer is not read to its end', async () => {
  const moved = issuer('/moved', ['127.0.0.1'], ['login.test']);
  await expect(moved.proved(token)).rejects.toThrow('200 OK');
  expect(paths).toEqual(['/moved']);
  paddingBytes = 2 * 1024 * 1024;
  const endless = issuer('/keys', ['127.0.0.1'], ['login.test']);
  await expect(endless.proved(token)).rejects.toThrow('more than 1048576 bytes');
});
