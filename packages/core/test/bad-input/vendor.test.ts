/** Servers that cannot be reached, are not who they should be, or do not let us in. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { hostKeyFromSeed, VirtualTree } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { canary } from './canaries.ts';
import { failTwice } from './run-twice.ts';
import { openSite, type SiteOptions, withLedger } from './site.ts';

withLedger();

const server = 'sftp 127.0.0.1:PORT';
const refused = (methods: string) =>
  `${server}: the login was refused (tried: ${methods}); either username, password or key are wrong or expired, or our source IP is not on the vendor's allow-list (LOGIN_REFUSED)`;

test('another host key than the pinned ones: no password leaves this machine', async () => {
  const options = { tree: new VirtualTree().file('/in/a.csv', 'x'), faults: { impostor: true } };
  const { fingerprint } = hostKeyFromSeed('impostor');
  expect(await failTwice(() => options)).toEqual({
    code: 3,
    line: `${server}: the server shows ${fingerprint} (ssh-ed25519), which hostKeys does not list; no credentials were sent. Either the vendor has a new key: ask by phone or portal, then add it to hostKeys. Or somebody is in between (HOST_KEY_CHANGED)`,
  });
  const site = await openSite(options);
  await site.run();
  await site.octo(['check']);
  expect(site.server.logins).toEqual([]);
  expect(site.server.counts.connections).toBeGreaterThan(0);
});

test('a wrong password is sent once, and not again', async () => {
  const options = { sftp: { users: [{ username: 'octo', password: 'another one' }] } };
  expect(await failTwice(() => options)).toEqual({ code: 3, line: refused('password') });
  const site = await openSite(options);
  await site.run();
  expect(site.server.logins.filter(({ method }) => method === 'password')).toHaveLength(1);
});

test.each<[string, SiteOptions, string, number]>([
  [
    'a key that the server does not know',
    { vendor: { password: undefined, privateKey: '${env:KEY}' }, env: { KEY: canary.sshKey } },
    refused('publickey'),
    3,
  ],
  [
    'a user that the server does not know',
    { vendor: { username: 'nobody' } },
    refused('password'),
    3,
  ],
  [
    'a key that is cut off',
    {
      vendor: { password: undefined, privateKey: '${env:KEY}', passphrase: '${env:PASSPHRASE}' },
      env: { KEY: canary.sshKey.slice(0, 200), PASSPHRASE: canary.passphrase },
    },
    `${server}: privateKey cannot be used: its format is none of OpenSSH, PEM and PuTTY; give the whole file, line breaks included (PRIVATE_KEY_UNREADABLE)`,
    2,
  ],
  [
    'a port at which nobody listens',
    { vendor: { port: 1 } },
    `${server}: nothing listens there (ECONNREFUSED); check host and port, or the server is down`,
    3,
  ],
  [
    'a server that hangs up at once',
    { faults: { greeting: 'close' } },
    `${server}: the server closed the connection before the login (Connection lost before handshake); it is overloaded, or our source IP is not on the vendor's allow-list (CONNECTION_LOST)`,
    3,
  ],
  [
    'a server without SFTP',
    { faults: { refuseSftp: true } },
    `${server}: the login succeeded, but SFTP was refused (sftp: Unable to start subsystem: sftp); ask the vendor to enable it for this user (SFTP_REFUSED)`,
    3,
  ],
])('%s', async (_, options, line, code) => {
  expect(await failTwice(() => options)).toEqual({ code, line });
});

test('a web server instead of an SFTP server', async () => {
  const web = createServer((socket) => {
    socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void web.close());
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  expect(await failTwice(() => ({ vendor: { port } }))).toEqual({
    code: 3,
    line: `${server}: the server closed the connection before the login (Connection lost before handshake); it is overloaded, or our source IP is not on the vendor's allow-list (CONNECTION_LOST)`,
  });
});
