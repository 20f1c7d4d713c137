/** From a TCP connection to an SFTP channel, by ssh2-sftp-client: one client object for one connection, never reused. */
import type { Socket } from 'node:net';
import type { Clock, Logger } from '@octo/plugin-api';
import type {
  AuthenticationType,
  AuthHandlerMiddleware,
  AnyAuthMethod,
  Client,
  SFTPWrapper,
} from 'ssh2';
import type SftpClient from 'ssh2-sftp-client';
import { algorithms } from './algorithms.ts';
import { withDeadline } from './deadline.ts';
import { decryptOurselves, type Decryption } from './own-decryption.ts';
import { fingerprintOf, hostVerifier, typeOfKey, type PinnedHostKeys } from './pinned-host-keys.ts';
import { displayPath } from './display-path.ts';
import { loginError, timedOut } from './sftp-error.ts';
import type { SftpSettings } from './sftp-options.ts';

export interface LoginAttempt {
  /** Loaded before there is a socket: what arrives while nobody listens is lost. */
  readonly Library: typeof SftpClient;
  readonly settings: SftpSettings;
  readonly socket: Socket;
  /** To be called once the connection keeps nothing of what it is given. */
  readonly lend: () => void;
  readonly pinned: PinnedHostKeys;
  /** Host key types to offer. */
  readonly keyTypes: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told the key that was accepted. */
  readonly onHostKey?: (fingerprint: string) => void;
}

export interface LoggedIn {
  readonly client: SftpClient;
  readonly sftp: SFTPWrapper;
  readonly decryption: Decryption;
  /** The latest error of the connection: why it broke, once it has. */
  readonly trouble: { error?: Error };
}

/** The server showed a key that is not pinned. Nothing else was sent to it. */
export class HostKeyRefused extends Error {
  readonly fingerprint: string;
  readonly keyType: string;
  /** In SSH's encoding. */
  readonly key: Buffer;

  constructor(key: Buffer) {
    super('host key refused');
    this.key = key;
    this.fingerprint = fingerprintOf(key);
    this.keyType = typeOfKey(key);
  }
}

/** @throws PluginError `auth`, `network`, `validation`; {@link HostKeyRefused} */
export async function logIn(attempt: LoginAttempt, signal: AbortSignal): Promise<LoggedIn> {
  const { settings, clock, logger } = attempt;
  const trouble: { error?: Error } = {};
  const silent = () => {};
  // Without callbacks the library writes to the console; without a listener a late error would end the process.
  const client = new attempt.Library('octo', { error: silent, end: silent, close: silent });
  client.on('error', (error: Error) => {
    trouble.error = error;
    const shown = displayPath(error.message);
    logger.debug({ server: settings.address, error: shown }, 'sftp connection reports an error');
  });
  const methods: string[] = [];
  let refused: HostKeyRefused | undefined;
  const verify = hostVerifier((key) => {
    if (!attempt.pinned.accepts(key)) refused = new HostKeyRefused(key);
    else attempt.onHostKey?.(fingerprintOf(key));
    return refused === undefined;
  });
  const late = () => timedOut(settings, 'no SFTP session', settings.readyMs);
  try {
    return await withDeadline({ clock, ms: settings.readyMs, late, signal }, async () => {
      const connecting = client.connect({
        sock: attempt.socket,
        username: settings.username,
        authHandler: authentication(settings, methods),
        hostVerifier: verify,
        algorithms: algorithms(settings.legacyAlgorithms, attempt.keyTypes),
        readyTimeout: settings.readyMs,
        // Tells a dead connection from an idle one; what hangs in spite of it, the watchdogs find.
        keepaliveInterval: 15_000,
        keepaliveCountMax: 3,
      });
      let decryption: Decryption = 'library';
      const inner = (client as unknown as { readonly client: Client }).client;
      // Before the library's own listener, which opens the channel.
      inner.prependListener('ready', () => {
        decryption = decryptOurselves(inner);
        if (decryption === 'own') attempt.lend();
      });
      const sftp = await connecting;
      return { client, sftp, trouble, decryption };
    });
  } catch (error) {
    if (refused !== undefined) throw refused;
    if (signal.aborted || isOurs(error)) throw error;
    throw loginError(settings, trouble.error ?? error, describe(methods));
  }
}

/**
 * The key first, then the password, each at most once: a vendor locks accounts after a few failures. `none` only asks
 * which methods there are, as OpenSSH's client does.
 */
function authentication(settings: SftpSettings, tried: string[]): AuthHandlerMiddleware {
  const next = (left: AuthenticationType[] | null): AnyAuthMethod | false => {
    const { username, password, privateKey, passphrase } = settings;
    if (privateKey !== undefined && !tried.includes('publickey') && allows(left, 'publickey')) {
      tried.push('publickey');
      return {
        type: 'publickey',
        username,
        key: privateKey,
        ...(passphrase === undefined ? {} : { passphrase }),
      };
    }
    if (left === null) return { type: 'none', username };
    if (password === undefined || tried.includes('password')) return false;
    if (left.includes('password')) {
      tried.push('password');
      return { type: 'password', username, password };
    }
    if (!left.includes('keyboard-interactive')) return false;
    tried.push('password');
    return { type: 'keyboard-interactive', username, prompt: answering(password) };
  };
  // The types say that the verdict goes to a callback; the library takes a returned one as well, and false only there.
  return next;
}

type Prompt = Extract<AnyAuthMethod, { type: 'keyboard-interactive' }>['prompt'];

/** Answers the question for a password, and no other. */
function answering(password: string): Prompt {
  return (_name, _instructions, _language, prompts, finish) =>
    finish(prompts.length === 1 && prompts[0]?.echo !== true ? [password] : []);
}

function allows(left: readonly AuthenticationType[] | null, method: AuthenticationType): boolean {
  return left === null || left.includes(method);
}

function describe(methods: readonly string[]): string {
  return methods.length === 0 ? 'none of our methods is allowed' : `tried: ${methods.join(', ')}`;
}

function isOurs(error: unknown): boolean {
  return (error as { readonly $octo?: unknown }).$octo === '@octo/plugin-error';
}
