/** What went wrong at the other side, in the host's terms: which server, which path, what to do. */
import { isPluginError, PluginError, type PluginErrorType } from '@octo/plugin-api';
import { displayPath } from './display-path.ts';
import type { SftpSettings } from './sftp-options.ts';

type Server = Pick<SftpSettings, 'address'>;

/** SSH_FX codes of draft-ietf-secsh-filexfer-02, and those of later drafts that servers send all the same. */
export const SFTP_CODE = {
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
  noSuchPath: 10,
  fileAlreadyExists: 11,
  noSpace: 14,
  quotaExceeded: 15,
} as const;

/** The SFTP status that the server answered with, if it is one. */
export function sftpCode(error: unknown): number | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}

/**
 * An answer that is not OK.
 * @param doing what was asked for, such as `read`
 */
export function statusError(
  { address }: Server,
  doing: string,
  path: string,
  error: unknown,
): PluginError {
  const code = sftpCode(error);
  const { type, name, advice } = STATUS_MEANINGS.get(code ?? -1) ?? UNKNOWN_STATUS;
  const said = error instanceof Error ? displayPath(error.message) : '';
  const what = `cannot ${doing} ${displayPath(path)}: ${said} (SFTP code ${code ?? 'none'})`;
  return new PluginError(type, `sftp ${address}: ${what}; ${advice}`, { code: name, cause: error });
}

/** Name resolution or TCP failed, or the host does not let us. */
export function connectError({ address }: Server, error: unknown): PluginError {
  if (isPluginError(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN';
  const advice = CONNECT_ADVICE[code] ?? `the connection failed (${code}); it is tried again later`;
  return new PluginError('network', `sftp ${address}: ${advice}`, { code, cause: error });
}

export function timedOut({ address }: Server, what: string, ms: number): PluginError {
  return new PluginError(
    'network',
    `sftp ${address}: ${what} within ${ms / 1000} s; the server is down, a firewall drops the packets, or our ` +
      "source IP is not on the vendor's allow-list",
    { code: 'TIMEOUT' },
  );
}

/** An open connection broke. */
export function connectionLost({ address }: Server, cause: unknown): PluginError {
  const why = cause instanceof Error ? ` (${displayPath(cause.message)})` : '';
  return new PluginError(
    'network',
    `sftp ${address}: the server ended the connection${why}; it is tried again later`,
    { code: 'CONNECTION_LOST', ...(cause === undefined ? {} : { cause }) },
  );
}

/** What ssh2 says between the TCP connection and the first SFTP answer. */
export function loginError({ address }: Server, error: unknown, methods: string): PluginError {
  const { message = '', level } = (error ?? {}) as { message?: string; level?: string };
  const make = (type: PluginErrorType, code: string, text: string) =>
    new PluginError(type, `sftp ${address}: ${text}`, { code, cause: error });
  if (level === 'client-authentication' || /authentication (methods )?fail/i.test(message)) {
    return make(
      'auth',
      'LOGIN_REFUSED',
      `the login was refused (${methods}); either username, password or key are wrong or expired, or our source IP ` +
        "is not on the vendor's allow-list",
    );
  }
  if (/no matching/i.test(message)) {
    return make(
      'validation',
      'NO_COMMON_ALGORITHM',
      `client and server have no algorithm in common (${displayPath(message)}); ask the vendor to update the ` +
        'server, or set legacyAlgorithms',
    );
  }
  if (/subsystem|SFTP session|channel/i.test(message)) {
    return make(
      'auth',
      'SFTP_REFUSED',
      `the login succeeded, but SFTP was refused (${displayPath(message)}); ask the vendor to enable it for this user`,
    );
  }
  if (/before handshake/.test(message) || level === undefined || level === 'client-socket') {
    return make(
      'network',
      'CONNECTION_LOST',
      `the server closed the connection before the login (${displayPath(message)}); it is overloaded, or our source ` +
        "IP is not on the vendor's allow-list",
    );
  }
  return make('network', 'HANDSHAKE_FAILED', `the SSH handshake failed (${displayPath(message)})`);
}

interface Meaning {
  readonly type: PluginErrorType;
  readonly name: string;
  readonly advice: string;
}

const LATER = 'the server does not say more; it is tried again later';
const UNKNOWN_STATUS: Meaning = { type: 'provider_down', name: 'SFTP_FAILURE', advice: LATER };
const GONE: Meaning = {
  type: 'not_found',
  name: 'NO_SUCH_FILE',
  advice: 'it was moved or removed, or the path is wrong',
};
const FULL: Meaning = {
  type: 'provider_down',
  name: 'NO_SPACE',
  advice: "the vendor's disk or quota is full; tell the vendor",
};
const BROKEN: Meaning = {
  type: 'network',
  name: 'CONNECTION_LOST',
  advice: 'it is tried again later',
};

const STATUS_MEANINGS = new Map<number, Meaning>([
  [SFTP_CODE.noSuchFile, GONE],
  [SFTP_CODE.noSuchPath, GONE],
  [
    SFTP_CODE.permissionDenied,
    {
      type: 'auth',
      name: 'PERMISSION_DENIED',
      advice: 'ask the vendor to give this user the permission',
    },
  ],
  [SFTP_CODE.noConnection, BROKEN],
  [SFTP_CODE.connectionLost, BROKEN],
  [
    SFTP_CODE.unsupported,
    { type: 'validation', name: 'UNSUPPORTED', advice: 'this server cannot do it' },
  ],
  [SFTP_CODE.noSpace, FULL],
  [SFTP_CODE.quotaExceeded, FULL],
]);

const CONNECT_ADVICE: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED); check host and port, or the server is down',
  ENOTFOUND: 'the host name does not exist (ENOTFOUND); check host',
  EAI_AGAIN: 'the name server does not answer (EAI_AGAIN); check the DNS of this machine',
  ETIMEDOUT:
    'no answer (ETIMEDOUT); the server is down, a firewall drops the packets, or our source IP is not on the ' +
    "vendor's allow-list",
  ECONNRESET:
    "the connection was reset (ECONNRESET); the server is overloaded, or our source IP is not on the vendor's " +
    'allow-list',
  EHOSTUNREACH: 'the host cannot be reached (EHOSTUNREACH); check the route from this machine',
  ENETUNREACH: 'the network cannot be reached (ENETUNREACH); check the network of this machine',
};
