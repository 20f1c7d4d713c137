/** Name resolution and TCP, both under one deadline: ssh2's own would leave the resolution unwatched. */
import { lookup } from 'node:dns/promises';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Clock } from '@octo/plugin-api';
import { withDeadline } from './deadline.ts';
import { connectError, timedOut } from './sftp-error.ts';
import type { SftpSettings } from './sftp-options.ts';

export interface OpenSocket {
  readonly socket: Socket;
  /** Whoever listens to `data` keeps nothing of it from now on: the bytes are not copied for them any more. */
  readonly lend: () => void;
}

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
): Promise<OpenSocket> {
  const late = () => timedOut(settings, 'no TCP connection', settings.connectMs);
  return withDeadline({ clock, ms: settings.connectMs, late, signal }, async (waiting) => {
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await connected(settings, address, waiting);
      } catch (error) {
        waiting.throwIfAborted();
        failure ??= error;
      }
    }
    throw connectError(settings, failure);
  });
}

async function connected(
  { host, port }: SftpSettings,
  address: string,
  signal: AbortSignal,
): Promise<OpenSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let lent = false;
  // Otherwise each read gets a buffer of its own, and garbage of that size costs as much as the encryption.
  const callback = (bytes: number, buffer: Uint8Array): boolean => {
    const data = Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
    return socket.emit('data', lent ? data : Buffer.from(data));
  };
  const onread = { buffer: Buffer.alloc(RECEIVE_BYTES), callback };
  const socket = connect({ host, port, lookup: pinned(address), onread });
  // Whatever comes late must not end the process; what matters is told by `close`.
  socket.on('error', () => {});
  const giveUp = () => socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', giveUp, { once: true });
  socket.once('error', reject).once('connect', resolve);
  try {
    await promise;
    // Without it each small request waits for the acknowledgement of the one before.
    socket.setNoDelay(true);
    return { socket, lend: () => void (lent = true) };
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.off('error', reject);
  }
}

/** The address that was found before, under its name: whoever watches over connections knows both. */
function pinned(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, answer) =>
    options.all === true ? answer(null, [{ address, family }]) : answer(null, address, family);
}

const RECEIVE_BYTES = 256 * 1024;
