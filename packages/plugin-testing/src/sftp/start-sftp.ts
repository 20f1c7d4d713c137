/** A real SFTP server on loopback, in this process: password and key logins, a folder or a tree in memory, faults. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { folderFiles } from './folder-files.ts';
import { hostKeyFrom, hostKeyFromSeed } from './host-key.ts';
import type { ServedFiles } from './served-files.ts';
import type { SftpFaults, SftpOperation } from './sftp-faults.ts';
import { serveSftp, type SftpCounts } from './sftp-subsystem.ts';
import { VirtualTree } from './virtual-tree.ts';

export interface SftpUser {
  readonly username: string;
  readonly password?: string;
  /** Lines as in `authorized_keys`. */
  readonly publicKeys?: readonly string[];
  /** Needs the key first and then the password. */
  readonly both?: boolean;
  /** Offers the password question as `keyboard-interactive` only. */
  readonly interactive?: boolean;
}

export interface StartSftpOptions {
  /** Default: `octo` with the password `loopback`. */
  readonly users?: readonly SftpUser[];
  /** Private keys. Default: one ed25519 key, always the same. */
  readonly hostKeys?: readonly string[];
  /** A real folder to serve, absolute. */
  readonly root?: string;
  /** Files in memory to serve. Default: an empty tree. */
  readonly tree?: VirtualTree;
  readonly faults?: SftpFaults;
  /** Default: a free one. */
  readonly port?: number;
  /** Key exchange, ciphers and so on that are offered, as ssh2 names them. Default: those of ssh2. */
  readonly algorithms?: ssh2.Algorithms;
}

export interface SftpServer extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `SHA256:…` of each host key. */
  readonly hostKeys: readonly string[];
  readonly users: readonly SftpUser[];
  /** The tree that is served, when no `root` was given. */
  readonly tree: VirtualTree;
  /** Takes effect at once. */
  readonly faults: SftpFaults;
  /** Every operation but READ, in order of arrival. */
  readonly log: SftpOperation[];
  /** Every attempt to log in: the method and, for passwords, what was sent. */
  readonly logins: { readonly method: string; readonly password?: string }[];
  /** What was agreed on for each connection. */
  readonly handshakes: ssh2.NegotiatedAlgorithms[];
  readonly counts: SftpCounts;
}

export async function startSftp(options: StartSftpOptions = {}): Promise<SftpServer> {
  const server = new LoopbackSftp(options);
  await server.listen(options.port ?? 0);
  return server;
}

class LoopbackSftp implements SftpServer {
  readonly host = '127.0.0.1';
  readonly hostKeys: readonly string[];
  readonly users: readonly SftpUser[];
  readonly tree: VirtualTree;
  readonly faults: SftpFaults;
  readonly log: SftpOperation[] = [];
  readonly logins: { method: string; password?: string }[] = [];
  readonly handshakes: ssh2.NegotiatedAlgorithms[] = [];
  readonly counts = {
    connections: 0,
    reads: 0,
    readBytes: 0,
    mostOutstandingReads: 0,
    openHandles: 0,
  };
  readonly #files: ServedFiles;
  readonly #ssh: (privateKeys: readonly string[]) => ssh2.Server;
  readonly #privateKeys: readonly string[];
  readonly #sockets = new Set<Socket>();
  readonly #listener = createServer((socket) => this.#accept(socket));

  constructor(options: StartSftpOptions) {
    this.users = options.users ?? [{ username: 'octo', password: 'loopback' }];
    this.tree = options.tree ?? new VirtualTree();
    this.faults = options.faults ?? {};
    this.#files = options.root === undefined ? this.tree : folderFiles(options.root);
    this.#privateKeys = options.hostKeys ?? [hostKeyFromSeed('octo loopback').privateKey];
    this.hostKeys = this.#privateKeys.map((key) => hostKeyFrom(key).fingerprint);
    this.#ssh = (hostKeys) =>
      new ssh2.Server({
        hostKeys: [...hostKeys],
        ...(options.algorithms === undefined ? {} : { algorithms: options.algorithms }),
      });
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#listener.once('error', reject).listen(port, this.host, resolve);
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Closing twice is an error to node, and none to us.
    this.#listener.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  #accept(socket: Socket): void {
    this.counts.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    const { greeting, impostor, resetOnEnd } = this.faults;
    if (greeting === 'silence') return;
    if (greeting !== undefined) return drop(socket, greeting);
    if (resetOnEnd === true) socket.prependListener('end', () => socket.resetAndDestroy());
    // A server each, because the faults of the next connection may be others.
    const keys = impostor === true ? [hostKeyFromSeed('impostor').privateKey] : this.#privateKeys;
    this.#ssh(keys)
      .on('connection', (connection) => this.#serve(connection, socket))
      .on('error', () => {})
      .injectSocket(socket);
  }

  #serve(connection: Connection, socket: Socket): void {
    const { counts, faults, log } = this;
    const context = { files: this.#files, faults, log, counts, drop: drop.bind(null, socket) };
    connection
      .on('error', () => {})
      .on('handshake', (agreed) => this.handshakes.push(agreed))
      .on('authentication', (attempt) => this.#authenticate(attempt))
      .on('session', (accept) => {
        // As a plain subsystem, because ssh2's own SFTP server cannot send what is wrong.
        accept().on('subsystem', (acceptSubsystem, reject, { name }) => {
          if (name !== 'sftp' || faults.refuseSftp === true) return reject();
          serveSftp(acceptSubsystem(), context);
        });
      });
  }

  #authenticate(attempt: AuthContext): void {
    const password = attempt.method === 'password' ? { password: attempt.password } : {};
    this.logins.push({ method: attempt.method, ...password });
    const user = this.users.find(({ username }) => username === attempt.username);
    const refuse = () => attempt.reject(methodsOf(user));
    if (user === undefined || this.faults.refuseLogin === true) return refuse();
    if (attempt.method === 'publickey' && keyIsKnown(user, attempt)) {
      if (user.both === true && attempt.signature !== undefined) {
        return attempt.reject(['password'], true);
      }
      return attempt.accept();
    }
    if (attempt.method === 'password' && user.interactive !== true) {
      return attempt.password === user.password ? attempt.accept() : refuse();
    }
    if (attempt.method === 'keyboard-interactive' && user.interactive === true) {
      return attempt.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => {
        this.logins.push({ method: 'answer', password: answer ?? '' });
        if (answer === user.password) attempt.accept();
        else refuse();
      });
    }
    refuse();
  }
}

function methodsOf(user: SftpUser | undefined): ssh2.AuthenticationType[] {
  return user?.interactive === true
    ? ['publickey', 'keyboard-interactive']
    : ['publickey', 'password'];
}

function keyIsKnown(user: SftpUser, attempt: ssh2.PublicKeyAuthContext): boolean {
  return (user.publicKeys ?? []).some((line) => {
    const known = ssh2.utils.parseKey(line);
    if (known instanceof Error || !known.getPublicSSH().equals(attempt.key.data)) return false;
    // Without a signature the client only asks whether the key would do.
    if (attempt.signature === undefined || attempt.blob === undefined) return true;
    // Answers with an Error, which is truthy, when the signature cannot be read.
    const verified: unknown = known.verify(attempt.blob, attempt.signature, attempt.hashAlgo);
    return verified === true;
  });
}

function drop(socket: Socket, how: 'close' | 'reset'): void {
  if (how === 'close') socket.end();
  else socket.resetAndDestroy();
}
