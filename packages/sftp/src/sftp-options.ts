/** What a provider's configuration must say to reach an SFTP server, and the limits that hold when it says nothing. */
import { PluginError } from '@octo/plugin-api';
import { parsePrivateKey } from './private-key.ts';
import { parseHostKeys } from './pinned-host-keys.ts';

export interface SftpOptions {
  readonly host: string;
  /** Default: 22. */
  readonly port?: number;
  readonly username: string;
  readonly password?: string;
  /** In OpenSSH's, PEM or PuTTY's format. Tried before the password. */
  readonly privateKey?: string;
  readonly passphrase?: string;
  /**
   * The server's keys: `SHA256:…` fingerprints as `ssh-keygen -l` prints them, or `type base64` as in known_hosts. At
   * least one; several while the vendor changes from one to the next. There is no trust on first use.
   */
  readonly hostKeys: readonly string[];
  /** Also offer what is considered weak: SHA-1 signatures and key exchange, CBC ciphers. Default: false. */
  readonly legacyAlgorithms?: boolean;
  /** For name resolution and TCP connection together. Default: 10 seconds. */
  readonly connectMs?: number;
  /** From the TCP connection until files can be asked for. Default: 20 seconds. */
  readonly readyMs?: number;
  /** How long the server may leave a question unanswered before the connection is given up. Default: 60 seconds. */
  readonly idleMs?: number;
  /** A file that comes slower than this over `idleMs` is given up; 0 for any speed. Default: 1024. */
  readonly minBytesPerSecond?: number;
  /**
   * Reads of 32 KiB, or fewer larger ones, that may wait for their answer at the same time, over the whole session. Default:
   * 64, and up to 1024 where answers take long to come.
   */
  readonly outstandingReads?: number;
  /** How far one file may be read ahead of its consumer, in bytes. Default: 4 MiB, and a single file as far as reads go. */
  readonly readAheadBytes?: number;
  /** Entries that one folder may have. Default: 50,000. */
  readonly maxEntries?: number;
  /** How long one listing may keep us waiting, all in all. Default: 10 minutes. */
  readonly listMs?: number;
}

/** The options with every default applied. */
export interface SftpSettings extends Required<
  Omit<
    SftpOptions,
    'password' | 'privateKey' | 'passphrase' | 'outstandingReads' | 'readAheadBytes'
  >
> {
  /** Both sized from the measured round trip when they are undefined. */
  readonly outstandingReads: number | undefined;
  readonly readAheadBytes: number | undefined;
  readonly password: string | undefined;
  readonly privateKey: string | undefined;
  readonly passphrase: string | undefined;
  /** `host:port`, for messages. */
  readonly address: string;
}

/**
 * Refuses options that cannot work, without any I/O: for a plugin's `create`.
 * @throws PluginError `validation`
 */
export function checkSftpOptions(options: SftpOptions): void {
  sftpSettings(options);
}

/**
 * Applies the defaults and checks what can be checked without a connection.
 * @throws PluginError `validation`
 */
export function sftpSettings(options: SftpOptions): SftpSettings {
  const settings = withDefaults(options);
  check(settings);
  return settings;
}

/** For who only looks at a server and logs in nowhere. */
export function unpinnedSettings(host: string, port: number): SftpSettings {
  return withDefaults({ host, port, username: 'octo', hostKeys: [] });
}

function withDefaults(options: SftpOptions): SftpSettings {
  return {
    port: 22,
    legacyAlgorithms: false,
    connectMs: 10_000,
    readyMs: 20_000,
    idleMs: 60_000,
    minBytesPerSecond: 1024,
    outstandingReads: undefined,
    readAheadBytes: undefined,
    maxEntries: 50_000,
    listMs: 600_000,
    password: undefined,
    privateKey: undefined,
    passphrase: undefined,
    ...options,
    address: `${options.host}:${options.port ?? 22}`,
  };
}

/** @throws PluginError `validation` */
function check(settings: SftpSettings): void {
  parseHostKeys(settings.hostKeys, settings.address);
  if (settings.password === undefined && settings.privateKey === undefined) {
    throw new PluginError(
      'validation',
      `sftp ${settings.address}: no credentials; set password or privateKey`,
      { code: 'NO_CREDENTIALS' },
    );
  }
  if (settings.privateKey !== undefined) {
    parsePrivateKey(settings.privateKey, settings.passphrase, settings.address);
  }
}
