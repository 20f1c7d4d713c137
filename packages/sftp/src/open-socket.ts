/** Name resolution and TCP, both under one deadline: ssh2's own would leave the resolution unwatched. */
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import type { Clock } from '@octo/plugin-api';
import { withDeadline } from './deadline.ts';
import { connectError, timedOut } from './sftp-error.ts';
import type { SftpSettings } from './sftp-options.ts';

/**
 * The addresses of the host, in the resolver's order.
 * @throws PluginError `network`
 */
export async function resolveHost(
  settings: SftpSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(settings.host) !== 0) return [settings.host];
  const late = () => timedOut(settings, 'the host name was not resolved', settings.connectMs);
  return withDeadline({ clock, ms: settings.connectMs, late, signal }, async () => {
    try {
      return (await lookup(settings.host, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw connectError(settings, error);
    }
  });
}

/**
 * A connection to the first address that answers.
 * @throws PluginError `network`
 */
export async function openSocket(
  settings: SftpSettings,
  addresses: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  const late = () => timedOut(settings, 'no TCP connection', settings.connectMs);
  return withDeadline({ clock, ms: settings.connectMs, late, signal }, async (waiting) => {
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await connected(address, settings.port, waiting);
      } catch (error) {
        waiting.throwIfAborted();
        failure ??= error;
      }
    }
    throw connectError(settings, failure);
  });
}

async function connected(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port });
  // Whatever comes late must not end the process; what matters is told by `close`.
  socket.on('error', () => {});
  const giveUp = () => socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', giveUp, { once: true });
  socket.once('error', reject).once('connect', resolve);
  try {
    await promise;
    // Without it each small request waits for the acknowledgement of the one before.
    return socket.setNoDelay(true);
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.off('error', reject);
  }
}
