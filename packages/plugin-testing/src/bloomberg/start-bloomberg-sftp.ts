/**
 * Bloomberg's Data License over SFTP on loopback: an account's folder where an uploaded `.req` is read strictly and
 * answered with generated data under the name that it asks for. For tests and demonstrations.
 */
import type { Clock } from '@octo/plugin-api';
import { startSftp, type SftpServer } from '../sftp/start-sftp.ts';
import { VirtualTree } from '../sftp/virtual-tree.ts';
import { machineClock } from './machine-clock.ts';
import { BloombergSftpFaults } from './sftp-account-faults.ts';
import { SftpAccount, type ReceivedRequest } from './sftp-account.ts';

export interface BloombergSftpOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** The account, and the `FIRMNAME` that its requests must have. Default `dl123456`. */
  readonly username?: string;
  /** Default `loopback`. */
  readonly password?: string;
  /** Lines as in `authorized_keys`. */
  readonly publicKeys?: readonly string[];
  /** Private keys. Default: one that is always the same. */
  readonly hostKeys?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}

export interface BloombergSftp extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** `SHA256:…` */
  readonly hostKey: string;
  readonly faults: BloombergSftpFaults;
  /** The account's folder. Put a stale reply here, or look at what a client removed. */
  readonly tree: VirtualTree;
  /** Every upload so far, oldest first. */
  readonly requests: readonly ReceivedRequest[];
  /** The server itself: its log, logins, counts, and faults of the connection (but `before` and `refuseLogin`). */
  readonly server: SftpServer;
  /** Puts a reply into the folder as if a program had made it: compressed by its name, encrypted and growing as told. */
  deliver(name: string, text: string): Promise<void>;
}

export async function startBloombergSftp(
  options: BloombergSftpOptions = {},
): Promise<BloombergSftp> {
  const { clock = machineClock, username = 'dl123456', password = 'loopback' } = options;
  const faults = new BloombergSftpFaults();
  const tree = new VirtualTree();
  const closing = new AbortController();
  const account = new SftpAccount({ username, clock, tree, faults, closing: closing.signal });
  const user = { username, password, publicKeys: options.publicKeys ?? [] };
  const server = await startSftp({
    users: [user],
    tree,
    faults: {
      before: (operation) => account.watch(operation),
      get refuseLogin() {
        return faults.wrongIp;
      },
    },
    ...(options.hostKeys !== undefined && { hostKeys: options.hostKeys }),
    ...(options.port !== undefined && { port: options.port }),
  });
  return {
    host: server.host,
    port: server.port,
    username,
    password,
    hostKey: server.hostKeys[0] ?? '',
    faults,
    tree,
    requests: account.requests,
    server,
    deliver: (name, text) => account.put(name, text),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server[Symbol.asyncDispose]();
    },
  };
}
