import { BlockList, isIP } from 'node:net';

/** Without a port: for every one. */
interface Line {
  readonly host: string;
  readonly port: number | undefined;
}

interface Hosts {
  readonly names: Set<string>;
  readonly addresses: BlockList;
}

/** Names, addresses and networks, each for one port or for all: what the lines of `allow.hosts` and `allow.egress` say. */
export class HostList {
  readonly #byPort = new Map<number | undefined, Hosts>();

  /** `name`, `address`, `address/prefix`, each with `:port` or without; a path. `localhost` stands for its addresses, too. */
  add(line: string): void {
    const { host, port } = lineOf(line);
    const { names, addresses } = this.#at(port);
    if (addNetwork(addresses, host)) return;
    names.add(host.toLowerCase());
    if (host.toLowerCase() === 'localhost')
      for (const network of ['127.0.0.0/8', '::1']) addNetwork(addresses, network);
  }

  /** @param port without it: whether the name is here for any */
  hasName(name: string, port?: number): boolean {
    const plain = name.toLowerCase().replace(/\.$/, '');
    return this.#for(port).some(({ names }) => names.has(plain));
  }

  /** As {@link hasName}. */
  hasAddress(address: string, port?: number): boolean {
    const version = isIP(address);
    if (version === 0) return false;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    return this.#for(port).some(({ addresses }) => addresses.check(address, family));
  }

  #at(port: number | undefined): Hosts {
    const known = this.#byPort.get(port);
    if (known !== undefined) return known;
    const hosts = { names: new Set<string>(), addresses: new BlockList() };
    this.#byPort.set(port, hosts);
    return hosts;
  }

  #for(port: number | undefined): Hosts[] {
    return [...this.#byPort]
      .filter(([one]) => port === undefined || one === undefined || one === port)
      .map(([, hosts]) => hosts);
  }
}

/** What stands before the port, without brackets. An IPv6 address with a port has brackets. */
export function lineOf(line: string): Line {
  const [, host = line, port] =
    isIP(line) === 6 ? [] : (/^(\[[^\]]+\](?:\/\d+)?|[^:]+|.+\/\d+):(\d{1,5})$/.exec(line) ?? []);
  return { host: host.replace(/[[\]]/g, ''), port: port === undefined ? undefined : Number(port) };
}

/** Adds an address, or `address/prefix`. False for a name. */
function addNetwork(list: BlockList, host: string): boolean {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(host) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  const most = version === 6 ? 128 : 32;
  const bits = Math.min(Number(prefix ?? most), most);
  list.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
  return true;
}
