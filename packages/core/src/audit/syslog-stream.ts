import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { addressKind } from '../egress/address-kind.ts';
import { egressRules } from '../egress/egress-rules.ts';
import { guardedLookup } from '../egress/guarded-lookup.ts';
import { checkpointLine } from './checkpoint.ts';
import type { CheckpointPlace } from './checkpoint-place.ts';

/** A syslog server that is spoken to over a connection. */
export interface SyslogServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Without TLS only this machine is spoken to, unless the operator says that the network is to be trusted. */
  readonly isPlainMeant: boolean;
}

/** 6514: RFC 5425, 601: RFC 3195 and what servers have come to use for plain TCP. */
const PORTS = { tls: 6514, tcp: 601 } as const;

const SPELLING =
  /^syslog\+(tls|tcp):\/\/(\[[0-9a-f:.]+\]|[^/:?#@\s]+)(?::(\d{1,5}))?(\?plaintext=allowed)?$/;

/** The server that `syslog+tls://host:6514` or `syslog+tcp://host:601` names; `undefined` for every other spelling. */
export function syslogServerIn(setting: string): SyslogServer | undefined {
  const [, kind, name, digits, plain] = SPELLING.exec(setting) ?? [];
  if (name === undefined || (kind !== 'tls' && kind !== 'tcp')) return undefined;
  const host = name.replace(/^\[|\]$/g, '');
  const port = Number(digits ?? PORTS[kind]);
  const isTls = kind === 'tls';
  if (port < 1 || port > 65_535 || (isTls && plain !== undefined)) return undefined;
  return { host, port, isTls, isPlainMeant: plain !== undefined };
}

/** Whether what is sent there could be changed on its way. */
export function isExposed({ host, isTls, isPlainMeant }: SyslogServer): boolean {
  return !isTls && !isPlainMeant && host !== 'localhost' && addressKind(host) !== 'loopback';
}

/**
 * A syslog server over TLS (RFC 5425) or TCP, with counted octets (RFC 6587). Nobody acknowledges a line of syslog; but each
 * has a connection of its own, and is kept when the server has closed that in return: it has read up to its end.
 * @param lookup in place of the system's
 */
export function syslogStream(server: SyslogServer, lookup?: LookupFunction): CheckpointPlace {
  const { host, port, isTls } = server;
  return {
    name: `syslog at ${host}:${port} (${isTls ? 'TLS' : 'TCP'})`,
    put: async (checkpoint, signal) => {
      signal.throwIfAborted();
      const line = syslogLine(checkpointLine(checkpoint));
      const socket = await open(server, lookup);
      const stop = (): void => void socket.destroy(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      try {
        await sent(socket, `${Buffer.byteLength(line)} ${line}`, server);
      } finally {
        signal.removeEventListener('abort', stop);
        socket.destroy();
      }
    },
  };
}

/** Facility 13 (log audit), severity 5 (notice). rfc-editor.org/rfc/rfc5424, section 6.2.1 */
const PRIORITY = 13 * 8 + 5;

/** The time is the server's to say: it is whom nobody here can talk into another one. */
function syslogLine(message: string): string {
  const host =
    hostname()
      .replaceAll(/[^!-~]/g, '')
      .slice(0, 255) || '-';
  return `<${PRIORITY}>1 - ${host} octo-host - audit-checkpoint - ${message}`;
}

/**
 * Names are the operator's own wish here, and may lead into the network around; not to a link-local address.
 * @throws PluginError `validation`, code `EGRESS_REFUSED`
 */
async function open({ host, port, isTls }: SyslogServer, lookup?: LookupFunction): Promise<Socket> {
  const allow = { hosts: [host], privateNetworks: false };
  const rules = egressRules([{ config: {}, allow }], HOW);
  if (isIP(host) !== 0) rules.check(host);
  const where = { host, port, lookup: guardedLookup(rules, lookup) };
  if (!isTls) return connect(where);
  const { connect: connectTls } = await import('node:tls');
  const named = isIP(host) === 0 ? { servername: host } : {};
  // Said here, so that no NODE_TLS_REJECT_UNAUTHORIZED of the environment says otherwise.
  return connectTls({ ...where, ...named, rejectUnauthorized: true });
}

const HOW = 'spell the address out in OCTO_AUDIT_CHECKPOINT';

async function sent(socket: Socket, frame: string, server: SyslogServer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isWritten = false;
  socket.once('error', reject);
  socket.once('end', () => {
    if (!isWritten) reject(new Error('the syslog server closed the connection before the line'));
  });
  socket.once('close', () => resolve());
  socket.once(server.isTls ? 'secureConnect' : 'connect', () => {
    if (isExposed({ ...server, host: socket.remoteAddress ?? '' }))
      return reject(new Error(`${server.host} is not this machine: nothing was sent without TLS`));
    socket.end(frame, () => (isWritten = true));
  });
  // What a server says is not looked at; its end is seen only when somebody reads.
  socket.resume();
  await promise;
}
