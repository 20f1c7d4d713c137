/** Opens a session: name, TCP, host key, login, SFTP, each with its deadline. */
import { PluginError, isPluginError, type Clock, type Logger } from '@octo/plugin-api';
import { hostKeyTypes } from './algorithms.ts';
import { HostKeyRefused, logIn } from './log-in.ts';
import { openSocket, resolveHost } from './open-socket.ts';
import { parseHostKeys } from './pinned-host-keys.ts';
import { SftpConnection } from './sftp-connection.ts';
import { sftpSettings, type SftpOptions, type SftpSettings } from './sftp-options.ts';
import { SftpSession } from './sftp-session.ts';

export interface SftpServices {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Told how far the connecting has come. */
export interface ConnectProgress {
  resolved?(addresses: readonly string[]): void;
  connected?(address: string): void;
  hostKey?(fingerprint: string): void;
}

/**
 * Opens a session. The signal bounds the connecting, not the session's life.
 * @throws PluginError `auth` (code `HOST_KEY_CHANGED`, `LOGIN_REFUSED`, …), `network`, `validation`
 */
export async function connectSftp(
  options: SftpOptions,
  services: SftpServices,
  signal: AbortSignal,
): Promise<SftpSession> {
  return connectWithProgress(sftpSettings(options), services, {}, signal);
}

/** As {@link connectSftp}, for who wants to tell the steps. */
export async function connectWithProgress(
  settings: SftpSettings,
  services: SftpServices,
  progress: ConnectProgress,
  signal: AbortSignal,
): Promise<SftpSession> {
  const addresses = await resolveHost(settings, services.clock, signal);
  progress.resolved?.(addresses);
  const pinned = parseHostKeys(settings.hostKeys, settings.address);
  const keyTypes = new Set(pinned.types ?? hostKeyTypes());
  const shown: HostKeyRefused[] = [];
  // Loaded when somebody logs in, a manifest is checked without it; and before the socket, whose first word it must hear.
  const { default: Library } = await import('ssh2-sftp-client');
  // A server has keys of several types and shows one: the pinned one may be of a type that we did not prefer. Nothing
  // but the key exchange happens on a connection whose key was refused.
  for (;;) {
    const { socket, lend } = await openSocket(settings, addresses, services.clock, signal);
    progress.connected?.(socket.remoteAddress ?? settings.host);
    try {
      const loggedIn = await logIn(
        {
          Library,
          settings,
          socket,
          lend,
          pinned,
          keyTypes,
          ...services,
          onHostKey: (fingerprint) => progress.hostKey?.(fingerprint),
        },
        signal,
      );
      return new SftpSession(new SftpConnection(loggedIn, socket, { settings, ...services }));
    } catch (error) {
      socket.destroy();
      if (!(error instanceof HostKeyRefused)) {
        throw onlyOtherKeys(error, shown, pinned.types) ? changed(settings, shown) : error;
      }
      shown.push(error);
      if (!keyTypes.delete(error.keyType) || keyTypes.size === 0) throw changed(settings, shown);
    }
  }
}

/** Whether the server has no (further) key of a type that could match. */
function onlyOtherKeys(
  error: unknown,
  shown: readonly HostKeyRefused[],
  types: ReadonlySet<string> | undefined,
): boolean {
  if (!isPluginError(error) || error.code !== 'NO_COMMON_ALGORITHM') return false;
  return /host key/.test(error.message) && (shown.length > 0 || types !== undefined);
}

function changed({ address }: SftpSettings, shown: readonly HostKeyRefused[]): PluginError {
  const keys = shown.map(({ fingerprint, keyType }) => `${fingerprint} (${keyType})`).join(', ');
  const what = keys === '' ? 'has no key of a pinned type' : `shows ${keys}`;
  return new PluginError(
    'auth',
    `sftp ${address}: the server ${what}, which hostKeys does not list; no credentials were sent. Either the vendor has ` +
      'a new key: ask by phone or portal, then add it to hostKeys. Or somebody is in between',
    { code: 'HOST_KEY_CHANGED' },
  );
}
