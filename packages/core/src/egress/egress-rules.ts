import { BlockList, isIP } from 'node:net';
import { PluginError } from '@octo/plugin-api';
import type { Reach } from '../manifest/manifest.ts';
import { addressKind, type AddressKind } from './address-kind.ts';

/** Where a process may connect to. */
export interface EgressRules {
  /** @throws PluginError `validation`, code `EGRESS_REFUSED`, when nobody wished for this address */
  check(address: string, name?: string): void;
  /** A socket of this machine, by its path. @throws as {@link check} */
  checkPath(path: string): void;
}

interface Wishes {
  readonly allow: Reach;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Whoever connects, in the words of a refusal: where the operator can say that it is meant. */
const PLUGIN = 'let the plugin: {allow} beside its config';

/**
 * Public addresses are open. A private, loopback or link-local one is where a vendor's redirect or a name server of somebody
 * else's would lead a process that stands inside of a network: it takes a wish of the operator. That is `allow.hosts` (a name,
 * an address, a network), `allow.privateNetworks`, or the address itself, or `localhost`, spelled out in the configuration.
 * What a name resolves to is no wish; and a name that is allowed leads to no link-local address, where clouds keep the
 * credentials of their machines: that takes the address itself.
 * @param how says to the operator how to wish; `{allow}` in it becomes the setting
 */
export function egressRules(instances: Iterable<Wishes>, how = PLUGIN): EgressRules {
  const wished = [...instances];
  const names = new Set<string>();
  const addresses = new BlockList();
  const add = (host: string): void => {
    if (!addNetwork(addresses, host)) names.add(host.toLowerCase());
  };
  for (const { allow, config } of wished) {
    for (const host of allow.hosts) add(host);
    for (const host of literalsIn(config)) add(host);
  }
  if (names.has('localhost')) for (const host of ['127.0.0.0/8', '::1']) add(host);
  const isPrivateOpen = wished.some(({ allow }) => allow.privateNetworks);
  return {
    check: (address, name) => {
      const kind = addressKind(address);
      if (kind === 'public' || (kind === 'private' && isPrivateOpen)) return;
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (isIP(address) !== 0 && addresses.check(address, family)) return;
      const isNamed = name !== undefined && names.has(name.toLowerCase().replace(/\.$/, ''));
      if (isNamed && kind !== 'metadata') return;
      throw refused(address, kind, name, how);
    },
    checkPath: (path) => {
      if (!names.has(path.toLowerCase())) throw refused(path, 'special', undefined, how);
    },
  };
}

/** Adds an address, or `address/prefix`. False for a name. */
function addNetwork(list: BlockList, host: string): boolean {
  const [, address = '', prefix] = /^\[?([^\]/]+)\]?(?:\/(\d{1,3}))?$/.exec(host) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  const most = version === 6 ? 128 : 32;
  const bits = Math.min(Number(prefix ?? most), most);
  list.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
  return true;
}

/** The addresses that a configuration spells out: alone, with a port, or as the host of a URL; and `localhost`. */
function* literalsIn(value: unknown, depth = 8): Generator<string, void, void> {
  if (typeof value === 'string') {
    const host = hostOf(value);
    if (host !== undefined && (isIP(host) !== 0 || host === 'localhost')) yield host;
  } else if (typeof value === 'object' && value !== null && depth > 0)
    for (const inner of Object.values(value)) yield* literalsIn(inner, depth - 1);
}

function hostOf(text: string): string | undefined {
  if (text.length > 2048) return undefined;
  if (isIP(text) !== 0 || text === 'localhost') return text;
  const host = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? URL.parse(text)?.hostname
    : /^(\[[0-9a-f:.]+\]|[\d.]+|localhost):\d{1,5}$/i.exec(text)?.[1];
  return host?.replace(/^\[|\]$/g, '');
}

const WORDS: Readonly<Record<Exclude<AddressKind, 'public'>, string>> = {
  private: 'a private address',
  loopback: 'an address of this machine',
  metadata: 'a link-local address, where clouds keep the credentials of their machines',
  special: 'an address of no public network',
};

function refused(
  address: string,
  kind: AddressKind,
  name: string | undefined,
  how: string,
): PluginError {
  const what = kind === 'public' ? '' : ` is ${WORDS[kind]}`;
  const who =
    name === undefined || name === address ? address : `${name} leads to ${address}, which`;
  const host = kind === 'metadata' ? address : (name ?? address);
  const wish = how.replace('{allow}', () => `"allow": { "hosts": ["${host}"] }`);
  return new PluginError(
    'validation',
    `${who}${what}: no connection was made. If it is meant, ${wish}`,
    { code: 'EGRESS_REFUSED' },
  );
}
