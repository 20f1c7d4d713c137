import dns, { type LookupAddress } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';
import type { EgressRules } from './egress-rules.ts';
import { addressesOf } from './guarded-lookup.ts';
import { lineOf } from './host-list.ts';
import type { ProvenNames } from './proven-names.ts';

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Holder = Record<string, unknown>;

const BY_NAME = [
  'resolve',
  'resolve4',
  'resolve6',
  'resolveAny',
  'resolveCaa',
  'resolveCname',
  'resolveMx',
  'resolveNaptr',
  'resolveNs',
  'resolvePtr',
  'resolveSoa',
  'resolveSrv',
  'resolveTlsa',
  'resolveTxt',
] as const;
const BY_ADDRESS = ['reverse', 'lookupService'] as const;

/**
 * From now on no name server is asked for a name that the rules do not let be asked for, and none is that the rules do not let be
 * reached: a name is a message to whoever answers for it.
 */
export function guardNames(rules: EgressRules, names: ProvenNames): void {
  const { promises } = dns;
  guard(dns, 'lookup', checkOf(rules).name, (call) => overheard(call, names));
  guard(promises, 'lookup', checkOf(rules).name, (call) => promised(call, names));
  // The two kinds of resolvers set their servers in one place.
  const resolvers = [dns.Resolver.prototype, promises.Resolver.prototype];
  for (const one of [dns, promises, ...resolvers]) {
    for (const name of BY_NAME) guard(one, name, checkOf(rules).name);
    for (const name of BY_ADDRESS) guard(one, name, checkOf(rules).address);
  }
  const shared = new Set(resolvers.map((one) => Object.getPrototypeOf(one) as object));
  for (const one of [dns, promises, ...shared]) guard(one, 'setServers', checkOf(rules).servers);
  syncBuiltinESMExports();
}

type Check = (args: readonly unknown[]) => readonly unknown[];

/** Each looks at the arguments of a call, and gives those that it has looked at. @throws PluginError */
function checkOf(rules: EgressRules): Readonly<Record<'name' | 'address' | 'servers', Check>> {
  return {
    name: (args) => {
      const [name] = args;
      if (typeof name === 'string' && name !== '' && isIP(name) === 0) rules.checkName(name);
      return args;
    },
    address: ([address, ...rest]) => {
      if (typeof address === 'string' && isIP(address) !== 0) rules.check(address);
      return [address, ...rest];
    },
    servers: ([servers, ...rest]) => {
      if (!Array.isArray(servers)) return [servers, ...rest];
      const lines = servers.map(String);
      for (const { host, port } of lines.map(lineOf)) rules.check(host, undefined, port ?? 53);
      return [lines, ...rest];
    },
  };
}

/** Puts a function in the place of another one: what is refused is told in the way in which the other would. */
function guard(
  holder: object,
  name: string,
  check: Check,
  around: (call: Call) => Call = (call) => call,
): void {
  const original = (holder as Holder)[name];
  if (typeof original !== 'function') return;
  const call = around(original as Call);
  const guarded = function (this: unknown, ...args: unknown[]): unknown {
    let checked: readonly unknown[];
    try {
      checked = check(args);
    } catch (error) {
      return refuse(args, error, name !== 'setServers' && isPromised(holder));
    }
    return call.apply(this, [...checked]);
  };
  // `promisify` looks for what it leaves on a function.
  Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
  // Writable as it was: whoever sets the servers has Node bind its functions anew, to those of the guarded resolver.
  (holder as Holder)[name] = guarded;
}

function isPromised(holder: object): boolean {
  return holder === dns.promises || holder === dns.promises.Resolver.prototype;
}

function refuse(args: readonly unknown[], error: unknown, isPromised: boolean): unknown {
  if (isPromised) return Promise.reject(error);
  const answer = args.at(-1);
  if (typeof answer !== 'function') throw error;
  process.nextTick(answer, error);
  return {};
}

function overheard(call: Call, names: ProvenNames): Call {
  return function (this: unknown, ...args: unknown[]): unknown {
    const answer = args.at(-1);
    if (typeof answer !== 'function') return call.apply(this, args);
    const heard = (error: unknown, found: string | readonly LookupAddress[], family: number) => {
      if (error === null) names.learn(String(args[0]), addressesOf(found, family));
      (answer as (...told: unknown[]) => void)(error, found, family);
    };
    return call.apply(this, [...args.slice(0, -1), heard]);
  };
}

function promised(call: Call, names: ProvenNames): Call {
  return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const found = (await call.apply(this, args)) as LookupAddress | readonly LookupAddress[];
    names.learn(String(args[0]), [found].flat());
    return found;
  };
}
