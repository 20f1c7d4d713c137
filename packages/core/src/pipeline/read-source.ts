import { PluginError, type Clock, type RemoteFile } from '@octo/plugin-api';
import { responseTo } from '../resilience/error-response.ts';
import { retryDelayMs } from '../resilience/retry.ts';
import { sameVersion, type Turn, type Vendor } from './vendor.ts';

export interface ReadSourceOptions {
  readonly vendor: Vendor;
  readonly file: RemoteFile;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onBytes: (chunk: Uint8Array) => void;
}

/**
 * All bytes of a file as the vendor has them, exactly `file.size` many. A connection that breaks is opened again and the
 * reading goes on where it stopped, provided that the file is still the same version.
 * @throws PluginError `integrity` `SIZE_MISMATCH` when there are more or fewer bytes, `SOURCE_CHANGED` when it is another
 *   version after a break, and whatever the provider throws
 */
export async function* readSource(
  options: ReadSourceOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { vendor, file } = options;
  await using turns = new AsyncDisposableStack();
  let turn: Turn | undefined;
  let offset = 0;
  for (let failures = 0; ;) {
    const session = await vendor.session(signal);
    await vendor.paced(signal);
    try {
      for await (const chunk of session.read(file, { offset }, signal)) {
        offset += chunk.length;
        failures = 0;
        if (offset > file.size) throw sizeMismatch(file, offset);
        options.onBytes(chunk);
        yield chunk;
      }
      if (offset !== file.size) throw sizeMismatch(file, offset);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!responseTo(error).retry) throw error;
      await vendor.lost(session);
      failures++;
      if (failures >= vendor.attempts) throw error;
      // Before the turn: many may wait for theirs, and each of them need not wait for the pauses of the others.
      await options.clock.sleep(retryDelayMs(error, failures, options.random), signal);
      turn ??= turns.use(await vendor.turn(signal));
      if (!sameVersion(file, await vendor.stat(file, signal, turn))) throw sourceChanged(file);
    }
  }
}

function sizeMismatch(file: RemoteFile, bytes: number): PluginError {
  return new PluginError(
    'integrity',
    `the vendor lists ${file.size} bytes but ${bytes > file.size ? 'sends more' : `ended after ${bytes}`}`,
    { code: 'SIZE_MISMATCH' },
  );
}

function sourceChanged(file: RemoteFile): PluginError {
  return new PluginError('integrity', `'${file.name}' became another version while it was read`, {
    code: 'SOURCE_CHANGED',
  });
}
