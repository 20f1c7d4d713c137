import { isIP } from 'node:net';
import { PluginError } from '@octo/plugin-api';
import type { Allowance, Reach } from '../manifest/manifest.ts';
import { addressKind, type AddressKind } from './address-kind.ts';
import { HostList } from './host-list.ts';

/** Where a process may connect to. */
export interface EgressRules {
  /**
   * @param name what led to the address
   * @param port without it: whether any port is open
   * @throws PluginError `validation`, code `EGRESS_REFUSED`, when nobody wished for this address
   */
  check(address: string, name?: string, port?: number): void;
  /** Whether a name server may be asked for this name: a name carries data, too. @throws as {@link check} */
  checkName(name: string, port?: number): void;
  /** A socket of this machine, by its path. @throws as {@link check} */
  checkPath(path: string): void;
  /** Whether the operator wrote this name down: what it leads to is open for its sake. */
  hasName(name: string): boolean;
}

interface Wishes {
  readonly allow: Reach & Partial<Pick<Allowance, 'egress' | 'network'>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Whoever connects, in the words of a refusal: where the operator can say that it is meant. */
const PLUGIN = 'let the plugin: {allow} beside its config';

/** In `allow.egress`: every public address. */
const ALL = '*';

/**
 * Public addresses are open, unless an instance has a list of them, `allow.egress`: then those that are listed are, and no
 * name server is asked for another name. Instances share a process, so one list is enough to close it.
 *
 * A private, loopback or link-local address is where a vendor's redirect or a name server of somebody else's would lead a
 * process that stands inside of a network: it takes a wish of the operator. That is `allow.hosts` (a name, an address, a
 * network), `allow.privateNetworks`, or the address itself, or `localhost`, spelled out in the configuration. What a name
 * resolves to is no wish; and a name that is allowed leads to no link-local address, where clouds keep the credentials of
 * their machines: that takes the address itself.
 * @param how says to the operator how to wish; `{allow}` in it becomes the setting
 */
export function egressRules(instances: Iterable<Wishes>, how = PLUGIN): EgressRules {
  const wished = [...instances].filter(({ allow }) => allow.network !== false);
  const wishes = new HostList();
  const listed = new HostList();
  for (const { allow, config } of wished) {
    for (const host of allow.hosts) wishes.add(host);
    for (const host of literalsIn(config)) wishes.add(host);
    for (const host of allow.egress ?? []) listed.add(host);
  }
  const isPublicOpen = wished.every(({ allow: { egress } }) => egress?.includes(ALL) ?? true);
  const isPrivateOpen = wished.some(({ allow }) => allow.privateNetworks);
  const isNamed = (name: string, port?: number) =>
    wishes.hasName(name, port) || listed.hasName(name, port);
  return {
    check: (address, name, port) => {
      const kind = addressKind(address);
      if (wishes.hasAddress(address, port)) return;
      if (kind === 'public') {
        if (isPublicOpen || listed.hasAddress(address, port)) return;
        if (name !== undefined && isNamed(name, port)) return;
        throw notListed(name ?? address, port, how);
      }
      if (kind === 'private' && isPrivateOpen) return;
      if (name !== undefined && wishes.hasName(name, port) && kind !== 'metadata') return;
      throw refused(address, kind, name, how);
    },
    checkName: (name, port) => {
      if (!isPublicOpen && !isNamed(name, port)) throw notListed(name, port, how);
    },
    checkPath: (path) => {
      if (!wishes.hasName(path)) throw refused(path, 'special', undefined, how);
    },
    hasName: (name) => isNamed(name),
  };
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
  kind: Exclude<AddressKind, 'public'>,
  name: string | undefined,
  how: string,
): PluginError {
  const who =
    name === undefined || name === address ? address : `${name} leads to ${address}, which`;
  const host = kind === 'metadata' ? address : (name ?? address);
  return refusal(`${who} is ${WORDS[kind]}`, 'hosts', host, how);
}

function notListed(host: string, port: number | undefined, how: string): PluginError {
  const shown = isIP(host) === 6 && port !== undefined ? `[${host}]` : host;
  const place = port === undefined ? shown : `${shown}:${port}`;
  return refusal(`${place} is not among the places that are listed`, 'egress', place, how);
}

function refusal(problem: string, setting: string, host: string, how: string): PluginError {
  const wish = how.replace('{allow}', () => `"allow": { "${setting}": ["${host}"] }`);
  return new PluginError(
    'validation',
    `${problem}: no connection was made. If it is meant, ${wish}`,
    { code: 'EGRESS_REFUSED' },
  );
}
