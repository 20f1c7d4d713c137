import { BlockList, isIP } from 'node:net';

/** What kind of place an address is. Only `public` ones are open to everybody. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'metadata' | 'special';

/** The kind of an IP address, whichever way it is spelled; IPv4 inside of IPv6 counts as what it is inside. */
export function addressKind(address: string): AddressKind {
  const plain = withoutZone(address);
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(plain) === 0) return 'special';
  lists ??= SUBNETS.map(([kind, subnets]) => [kind, listOf(subnets)]);
  const found = lists.find(([, list]) => list.check(plain, family));
  return found?.[0] ?? 'public';
}

/** Without the interface that a link-local address may name. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

/** `address/prefix`; what `BlockList` finds in IPv4 it finds in the IPv6 that maps it, too. */
function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', prefix] = subnet.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}

/** In this order: where clouds answer for the credentials of their machines lies within other ranges. */
const SUBNETS: readonly (readonly [AddressKind, readonly string[]])[] = [
  [
    'metadata',
    // AWS, Azure, GCP and others; AWS over IPv6; Alibaba; Azure's wire server. Link-local as a whole.
    ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16'],
  ],
  ['loopback', ['127.0.0.0/8', '::1']],
  // RFC 1918, RFC 6598 (carriers), RFC 4193.
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']],
  [
    'special',
    // "This host", protocol assignments, benchmarks, multicast, reserved; and IPv6 that leads to an IPv4 of somebody's choice:
    // NAT64, 6to4, Teredo, IPv4-compatible. iana.org/assignments/iana-ipv4-special-registry
    [
      '0.0.0.0/8',
      '192.0.0.0/24',
      '198.18.0.0/15',
      '224.0.0.0/4',
      '240.0.0.0/4',
      '::/96',
      'ff00::/8',
      'fec0::/10',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '2001::/32',
      '2002::/16',
    ],
  ],
];

/** Made when the first address is asked for: it takes as long as ten modules take to load. */
let lists: readonly (readonly [AddressKind, BlockList])[] | undefined;
