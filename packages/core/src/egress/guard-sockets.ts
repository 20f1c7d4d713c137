import { isIP, Socket, type LookupFunction } from 'node:net';
import type { EgressRules } from './egress-rules.ts';
import { guardNames } from './guard-names.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { ProvenNames } from './proven-names.ts';

interface Wanted {
  readonly port?: number;
  readonly path?: string;
  readonly host?: string;
  readonly lookup?: LookupFunction;
}

/**
 * From now on every TCP connection of this process keeps to the rules, whatever makes it: `net`, `tls`, `http`, `fetch` all come
 * through here, and each redirect and each new attempt again; and so does every question to a name server. Code that means harm
 * can find a way around a function; this is for code that is led astray. UDP is closed by `closeDoors`.
 */
export function guardSockets(rules: EgressRules): void {
  // Node's own refusal comes first where there is no network at all.
  if (!process.permission?.has('net')) return;
  const names = new ProvenNames(rules);
  guardNames(rules, names);
  // oxlint-disable-next-line typescript/unbound-method -- called with the socket that it was asked of
  const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;
  const guarded = function (this: Socket, ...args: unknown[]): Socket {
    const { wanted, rest } = wantedBy(args);
    try {
      check(wanted, rules);
    } catch (error) {
      process.nextTick(() => this.destroy(error as Error));
      return this;
    }
    const { lookup: theirs, port } = wanted;
    const found = theirs === undefined ? names.lookup : names.proven(theirs, port);
    return connect.call(this, { ...wanted, lookup: guardedLookup(rules, found, port) }, ...rest);
  };
  Object.defineProperty(Socket.prototype, 'connect', {
    value: guarded,
    writable: false,
    configurable: false,
  });
}

/** The ways in which a connection can be asked for: options, port and host, a path, or what `net` itself makes of them. */
function wantedBy(args: readonly unknown[]): { wanted: Wanted; rest: readonly unknown[] } {
  const [first, second] = args;
  if (Array.isArray(first)) return wantedBy(first.filter((one) => one !== null) as unknown[]);
  const rest = args.filter((one) => typeof one === 'function').slice(0, 1);
  if (typeof first === 'object' && first !== null) return { wanted: readOnce(first), rest };
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { wanted: { path: first }, rest };
  const host = typeof second === 'string' ? { host: second } : {};
  return { wanted: { port: Number(first), ...host }, rest };
}

/** What was looked at is what is connected to: no getter is asked a second time, and no object pretends to be a text. */
function readOnce(options: object): Wanted {
  const { host, port, path, lookup, ...rest } = options as Readonly<Record<string, unknown>>;
  return {
    ...rest,
    ...(typeof host === 'string' && { host }),
    ...(port !== undefined && port !== null && { port: Number(port) }),
    ...(typeof path === 'string' && path !== '' && { path }),
    ...(typeof lookup === 'function' && { lookup: lookup as LookupFunction }),
  };
}

/** @throws PluginError */
function check({ path, host, port }: Wanted, rules: EgressRules): void {
  if (path !== undefined) rules.checkPath(path);
  else if (host !== undefined && isIP(host) !== 0) rules.check(host, undefined, port);
}
