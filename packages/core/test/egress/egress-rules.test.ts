import { isPluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { addressKind } from '../../src/egress/address-kind.ts';
import { egressRules } from '../../src/egress/egress-rules.ts';
import { guardedLookup } from '../../src/egress/guarded-lookup.ts';
import { nameServer } from './name-server.ts';

const NOTHING = { read: [], write: [], env: [], network: true, hosts: [], privateNetworks: false };

function rulesFor(config: Record<string, unknown> = {}, allow: object = {}) {
  return egressRules([{ config, allow: { ...NOTHING, ...allow } }]);
}

function verdict(rules: ReturnType<typeof rulesFor>, address: string, name?: string): string {
  try {
    rules.check(address, name);
    return 'open';
  } catch (error) {
    if (isPluginError(error) && error.code === 'EGRESS_REFUSED') return error.message;
    throw error;
  }
}

test.each([
  ['8.8.8.8', 'public'],
  ['2a00:1450:4001::1', 'public'],
  ['::ffff:8.8.8.8', 'public'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fd12:3456::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['fe80::1', 'metadata'],
  ['fe80::1%eth0', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['0.0.0.0', 'special'],
  ['0.1.2.3', 'special'],
  ['::', 'special'],
  ['::7f00:1', 'special'],
  ['255.255.255.255', 'special'],
  ['224.0.0.1', 'special'],
  ['ff02::1', 'special'],
  ['64:ff9b::7f00:1', 'special'],
  ['2002:7f00:1::', 'special'],
  ['2001:0:4136:e378::1', 'special'],
  ['not an address', 'special'],
])('%s is %s', (address, kind) => {
  expect(addressKind(address)).toBe(kind);
});

test('without a wish only public addresses are open, and the refusal says how to wish', () => {
  const rules = rulesFor({ host: 'sftp.corp.example' });
  expect(verdict(rules, '8.8.8.8', 'sftp.corp.example')).toBe('open');
  expect(verdict(rules, '10.0.0.7', 'sftp.corp.example')).toBe(
    'sftp.corp.example leads to 10.0.0.7, which is a private address: no connection was made. If it is meant, let the plugin: "allow": { "hosts": ["sftp.corp.example"] } beside its config',
  );
  for (const address of ['127.0.0.1', '169.254.169.254', '::ffff:7f00:1', '0.0.0.0'])
    expect(verdict(rules, address)).toContain('no connection was made');
});

test.each([
  [{ host: '127.0.0.1' }, '127.0.0.1'],
  [{ host: '::1' }, '::1'],
  [{ endpoint: 'http://127.0.0.1:9000/x' }, '127.0.0.1'],
  [{ endpoint: 'http://2130706433/' }, '127.0.0.1'],
  [{ endpoint: 'http://[::1]:9000' }, '::1'],
  [{ deep: [{ at: '10.1.2.3:2222' }] }, '10.1.2.3'],
  [{ host: 'localhost' }, '127.0.0.1'],
  [{ host: 'localhost' }, '::1'],
])('an address that the configuration %j spells out is a wish for %s alone', (config, address) => {
  const rules = rulesFor(config);
  expect(verdict(rules, address)).toBe('open');
  expect(verdict(rules, '10.9.9.9')).not.toBe('open');
  expect(verdict(rules, '169.254.169.254')).not.toBe('open');
});

test('what a name of the configuration resolves to is no wish, nor is an address inside of a text', () => {
  const rules = rulesFor({ host: 'rebinding.example', note: 'ask 127.0.0.1', version: '1.2.3' });
  expect(verdict(rules, '127.0.0.1', 'rebinding.example')).not.toBe('open');
});

test('allow.hosts opens a name, an address or a network, allow.privateNetworks every private address', () => {
  const named = rulesFor({}, { hosts: ['SFTP.corp.example', '10.20.0.0/16', '169.254.169.254'] });
  expect(verdict(named, '192.168.0.9', 'sftp.corp.example.')).toBe('open');
  expect(verdict(named, '192.168.0.9', 'other.corp.example')).not.toBe('open');
  expect(verdict(named, '10.20.255.1')).toBe('open');
  expect(verdict(named, '10.21.0.1')).not.toBe('open');
  expect(verdict(named, '169.254.169.254')).toBe('open');
  const open = rulesFor({}, { privateNetworks: true });
  expect(verdict(open, '10.21.0.1', 'anything')).toBe('open');
  for (const address of ['127.0.0.1', '169.254.169.254', 'fd00:ec2::254', '100.100.100.200'])
    expect(verdict(open, address)).not.toBe('open');
});

test('a name that is allowed leads to no link-local address and no address where clouds keep credentials, unless that is allowed in words', () => {
  const named = rulesFor({}, { hosts: ['sftp.corp.example'], privateNetworks: true });
  for (const address of [
    '169.254.169.254',
    '169.254.1.1',
    'fe80::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '::ffff:a9fe:a9fe',
  ])
    expect(verdict(named, address, 'sftp.corp.example')).toContain('no connection was made');
  expect(verdict(named, '169.254.169.254', 'sftp.corp.example')).toBe(
    'sftp.corp.example leads to 169.254.169.254, which is a link-local address, where clouds keep the credentials of their machines: no connection was made. If it is meant, let the plugin: "allow": { "hosts": ["169.254.169.254"] } beside its config',
  );
  const inWords = rulesFor({}, { hosts: ['sftp.corp.example', '169.254.0.0/16'] });
  expect(verdict(inWords, '169.254.169.254', 'sftp.corp.example')).toBe('open');
  expect(verdict(inWords, '100.100.100.200', 'sftp.corp.example')).not.toBe('open');
});

async function resolved(lookup: ReturnType<typeof guardedLookup>, all: boolean): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  lookup('vendor.example', { all }, ((error: Error | null, found: unknown) =>
    error === null ? resolve(found) : reject(error)) as never);
  return await promise;
}

test('of the addresses of a name only the open ones are answered', async () => {
  const { lookup } = nameServer(['127.0.0.1', '8.8.8.8'], ['8.8.4.4'], ['10.0.0.1', '::1'], []);
  const guarded = guardedLookup(rulesFor(), lookup);
  expect(await resolved(guarded, true)).toEqual([{ address: '8.8.8.8', family: 4 }]);
  expect(await resolved(guarded, false)).toBe('8.8.4.4');
  await expect(resolved(guarded, true)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' });
  await expect(resolved(guarded, true)).rejects.toMatchObject({ code: 'ENOTFOUND' });
});
