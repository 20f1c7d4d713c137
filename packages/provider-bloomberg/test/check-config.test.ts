import { expect, test } from 'vitest';
import { restAccess, sftpAccess } from '../src/check-config.ts';
import { checked, type Written } from './provider.ts';

const SECRET = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const REST = { clientId: 'abc', clientSecret: SECRET };
const SFTP = {
  transport: 'sftp',
  username: 'dl123456',
  password: 'x',
  hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
};
const REQUEST = { identifier: 'octoEod', securities: ['IBM US Equity'], fields: ['PX_LAST'] };

test('REST needs id and secret, or the file that holds both', () => {
  expect(restAccess(checked(REST)).endpoint.href).toBe('https://api.bloomberg.com/eap/');
  const credential = JSON.stringify({ client_id: 'abc', client_secret: SECRET });
  expect(restAccess(checked({ credential })).credential.clientId).toBe('abc');
});

test('SFTP has a host of its own', () => {
  expect(sftpAccess(checked(SFTP))).toMatchObject({ host: 'sftp.bloomberg.com', port: 22 });
});

test.each<[string, Written, RegExp]>([
  ['no credential', {}, /'credential' is missing/],
  ['an id without a secret', { clientId: 'abc' }, /'credential' is missing/],
  ['two credentials', { ...REST, credential: '{}' }, /remove 'clientId'/],
  ['an endpoint in the clear', { ...REST, endpoint: 'http://example.com/eap' }, /https/],
  ['an endpoint that is none', { ...REST, endpoint: 'bloomberg' }, /'endpoint' is no address/],
  ['a word of the other transport', { ...REST, username: 'dl1' }, /'username' belongs to/],
  [
    'an identifier that is too long',
    { ...REST, requests: [{ ...REQUEST, identifier: 'octoEndOfDay{date:yyyyMMdd}xx' }] },
    /22 characters/,
  ],
  ['the same request twice', { ...REST, requests: [REQUEST, REQUEST] }, /'octoEod' is there twice/],
  [
    'neither securities nor a universe',
    { ...REST, requests: [{ identifier: 'octoEod', fields: ['PX_LAST'] }] },
    /'securities' or 'universe'/,
  ],
  [
    'both fields and a field list',
    { ...REST, requests: [{ ...REQUEST, fieldList: 'prices' }] },
    /'fields' or 'fieldList'/,
  ],
  [
    'corporate actions with fields',
    { ...REST, requests: [{ ...REQUEST, type: 'ActionsRequest' }] },
    /has no fields/,
  ],
  [
    'a history without dates',
    { ...REST, requests: [{ ...REQUEST, type: 'HistoryRequest' }] },
    /'history' needs/,
  ],
  [
    'a history with two kinds of dates',
    {
      ...REST,
      requests: [
        {
          ...REQUEST,
          type: 'HistoryRequest',
          history: { days: 3, startDate: '2026-01-01', endDate: '2026-01-02' },
        },
      ],
    },
    /'history' needs/,
  ],
])('REST with %s is refused', (_, config, message) => {
  expect(() => restAccess(checked(config))).toThrow(message);
});

test.each<[string, Written, RegExp]>([
  ['no username', { ...SFTP, username: undefined }, /'username' is missing/],
  ['no host key', { ...SFTP, hostKeys: undefined }, /'hostKeys' is missing.*octo-host check/],
  ['neither password nor key', { ...SFTP, password: undefined }, /'password' or 'privateKey'/],
  ['a passphrase for nothing', { ...SFTP, passphrase: 'x' }, /no 'privateKey'/],
  ['a word of the other transport', { ...SFTP, clientId: 'abc' }, /'clientId' belongs to/],
])('SFTP with %s is refused', (_, config, message) => {
  expect(() => sftpAccess(checked(config))).toThrow(message);
});

test('no message holds a secret', () => {
  const wrong = { clientId: 'abc', clientSecret: `${SECRET}xyz` };
  expect(() => restAccess(checked(wrong))).toThrow(/^(?![^]*0011)[^]*not hexadecimal/);
});
