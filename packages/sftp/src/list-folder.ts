/** Our own listing, entry by entry and with an end: the library's collects whatever the server sends, for ever. */
import { PluginError } from '@octo/plugin-api';
import type { FileEntryWithStats } from 'ssh2';
import { displayPath } from './display-path.ts';
import { folderEntry, type FolderEntry } from './folder-entry.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { SFTP_CODE, sftpCode } from './sftp-error.ts';

/**
 * Every entry of the folder but `.` and `..`.
 * @throws PluginError `integrity` with code `LISTING_LIMIT`; by the server's status
 */
export async function* listFolder(
  connection: SftpConnection,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<FolderEntry, void, undefined> {
  const { clock, settings } = connection;
  const handle = await openFolder(connection, folder, signal);
  let waitedMs = 0;
  let count = 0;
  let nameBytes = 0;
  try {
    for (;;) {
      const askedMs = clock.monotonic();
      const batch = await readNames(connection, handle, folder, signal);
      waitedMs += clock.monotonic() - askedMs;
      if (batch === undefined) return;
      // An empty answer counts as well, or a server could give them for ever.
      count += Math.max(1, batch.length);
      for (const { filename, longname } of batch) nameBytes += filename.length + longname.length;
      const limit = exceeded(count, nameBytes, waitedMs, settings);
      if (limit !== undefined) throw tooLong(settings.address, folder, limit);
      for (const entry of batch) yield folderEntry(folder, entry);
    }
  } finally {
    const closing = connection.close(handle, folder);
    if (!signal.aborted) await closing;
  }
}

function openFolder(
  connection: SftpConnection,
  folder: string,
  signal: AbortSignal,
): Promise<Buffer> {
  return connection.ask<Buffer>(
    {
      doing: 'list',
      path: folder,
      ask: (sftp, answer) => sftp.opendir(folder === '' ? '.' : folder, answer),
      tooLate: (handle) => void connection.close(handle, folder),
    },
    signal,
  );
}

/** The next entries; undefined at the end. */
function readNames(
  connection: SftpConnection,
  handle: Buffer,
  folder: string,
  signal: AbortSignal,
): Promise<FileEntryWithStats[] | undefined> {
  return connection.ask<FileEntryWithStats[] | undefined>(
    {
      doing: 'list',
      path: folder,
      ask: (sftp, answer) =>
        sftp.readdir(handle, (error, list) => {
          if (sftpCode(error) === SFTP_CODE.eof) answer(undefined, undefined);
          else answer(error, list);
        }),
    },
    signal,
  );
}

function exceeded(
  count: number,
  nameBytes: number,
  waitedMs: number,
  { maxEntries, listMs }: { maxEntries: number; listMs: number },
): string | undefined {
  if (count > maxEntries) return `more than ${maxEntries} entries (maxEntries)`;
  if (nameBytes > MAX_NAME_BYTES) return `more than ${MAX_NAME_BYTES} bytes of names`;
  if (waitedMs > listMs) return `no end after ${listMs / 1000} s (listMs)`;
  return undefined;
}

function tooLong(address: string, folder: string, limit: string): PluginError {
  return new PluginError(
    'integrity',
    `sftp ${address}: the listing of ${displayPath(folder)} has ${limit}; ask the vendor to clear the folder, or raise ` +
      'the limit',
    { code: 'LISTING_LIMIT' },
  );
}

const MAX_NAME_BYTES = 64 * 2 ** 20;
