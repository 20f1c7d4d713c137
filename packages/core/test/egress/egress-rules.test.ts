import { isPluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { addressKind } from '../../src/egress/address-kind.ts';
import { egressRules } from '../../src/egress/egress-rules.ts';
import { guardedLookup } from '../../src/egress/guarded-lookup.ts';
import { ProvenNames } from '../../src/egress/proven-names.ts';
import { nameServer } from './name-server.ts';

const NOTHING = { read: [], write: [], env: [], network: true, hosts: [], privateNetworks: false };

function rulesFor(config: Record<string, unknown> = {}, allow: object = {}) {
  return egressRules([{ config, allow: { ...NOTHING, ...allow } }]);
}

function verdict(
  rules: ReturnType<typeof rulesFor>,
  address: string,
  name?: string,
  port?: number,
): string {
  try {
    rules.check(address, name, port);
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

const LISTED = [
  'sftp.vendor.example:22',
  'API.vendor.example.',
  '192.0.2.0/24:443',
  '[2001:db8::7]:22',
  '8.8.8.8',
];

test.each([
  ['8.8.8.8', undefined, 53],
  ['192.0.2.9', undefined, 443],
  ['2001:db8::7', undefined, 22],
  ['1.1.1.1', 'sftp.vendor.example', 22],
  ['1.1.1.1', 'SFTP.vendor.example.', 22],
])('of an instance with a list %s %s at port %d is open', (address, name, port) => {
  const rules = rulesFor({}, { egress: LISTED.map((line) => line.replace(/\.$/, '')) });
  expect(verdict(rules, address, name, port)).toBe('open');
});

test.each([
  ['8.8.4.4', undefined, 53, '8.8.4.4:53'],
  ['192.0.2.9', undefined, 80, '192.0.2.9:80'],
  ['2001:db8::7', undefined, 443, '[2001:db8::7]:443'],
  ['1.1.1.1', 'sftp.vendor.example', 443, 'sftp.vendor.example:443'],
  ['1.1.1.1', 'data.sftp.vendor.example', 22, 'data.sftp.vendor.example:22'],
  ['1.1.1.1', 'other.example', undefined, 'other.example'],
])('of an instance with a list %s %s at port %d is not, and it is said what to write', (...one) => {
  const [address, name, port, place] = one;
  const rules = rulesFor({}, { egress: LISTED });
  expect(verdict(rules, address, name, port)).toBe(
    `${place} is not among the places that are listed: no connection was made. If it is meant, let the plugin: "allow": { "egress": ["${place}"] } beside its config`,
  );
});

test('what is listed of the public addresses opens no other kind, and a wish for one of those needs no second line', () => {
  const rules = rulesFor(
    { endpoint: 'http://127.0.0.1:9000' },
    {
      egress: ['vendor.example', '10.2.0.0/16', '169.254.169.254'],
      hosts: ['db.corp.example:5432', '10.1.0.0/16'],
    },
  );
  expect(verdict(rules, '10.9.9.9', 'vendor.example', 22)).toContain('which is a private address');
  expect(verdict(rules, '169.254.169.254', 'vendor.example', 80)).toContain('link-local');
  expect(verdict(rules, '10.2.3.4', undefined, 22)).toContain('is a private address');
  expect(verdict(rules, '169.254.169.254', undefined, 80)).toContain('link-local');
  expect(verdict(rules, '10.9.9.9', 'db.corp.example', 5432)).toBe('open');
  expect(verdict(rules, '10.9.9.9', 'db.corp.example', 22)).not.toBe('open');
  expect(verdict(rules, '8.8.8.8', 'db.corp.example', 5432)).toBe('open');
  expect(verdict(rules, '10.1.2.3', undefined, 99)).toBe('open');
  expect(verdict(rules, '127.0.0.1', undefined, 9000)).toBe('open');
});

test('one list closes the process that its instance shares; all of them with a star open it', () => {
  const instance = (egress?: readonly string[]) => ({
    config: {},
    allow: { ...NOTHING, ...(egress !== undefined && { egress }) },
  });
  const among = (...lists: readonly (readonly string[] | undefined)[]) =>
    verdict(egressRules(lists.map(instance)), '8.8.8.8', 'vendor.example', 443);
  expect(among(undefined, undefined)).toBe('open');
  expect(among(undefined, [])).toContain('listed');
  expect(among(['*'], [])).toContain('listed');
  expect(among(['vendor.example'], ['store.example'])).toBe('open');
  expect(among(['*'], ['*'])).toBe('open');
  const silent = { config: {}, allow: { ...NOTHING, egress: [], network: false } };
  expect(verdict(egressRules([silent, instance()]), '8.8.8.8')).toBe('open');
});

test('no name server is asked for a name that is not listed', async () => {
  const { lookup, asked } = nameServer(['8.8.8.8'], ['8.8.8.8'], ['10.0.0.1']);
  const listed = guardedLookup(rulesFor({}, { egress: ['vendor.example:22'] }), lookup, 22);
  expect(await resolved(listed, false)).toBe('8.8.8.8');
  for (const [egress, port] of [
    [['vendor.example:22'], 443],
    [['other.example'], 22],
    [[], 22],
  ] as const) {
    const closed = guardedLookup(rulesFor({}, { egress }), lookup, port);
    await expect(resolved(closed, true)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' });
  }
  expect(asked).toHaveLength(1);
});

test('who resolves by itself opens nothing in the name of a name that is listed, unless the system says the same', async () => {
  const rules = rulesFor({}, { egress: ['vendor.example'] });
  const through = (said: string, ...system: string[][]) => {
    const names = new ProvenNames(rules, nameServer(...system).lookup);
    const theirs = nameServer([said], [said]).lookup;
    return { names, lookup: guardedLookup(rules, names.proven(theirs, 22), 22) };
  };
  await expect(resolved(through('6.6.6.6', ['1.2.3.4']).lookup, true)).rejects.toMatchObject({
    code: 'EGRESS_REFUSED',
    message: expect.stringContaining('does not lead to the address') as string,
  });
  expect(await resolved(through('1.2.3.4', ['1.2.3.4', '1.2.3.5']).lookup, true)).toEqual([
    { address: '1.2.3.4', family: 4 },
  ]);
  const before = through('1.2.3.4');
  before.names.learn('vendor.example', [{ address: '1.2.3.4', family: 4 }]);
  expect(await resolved(before.lookup, false)).toBe('1.2.3.4');
});
