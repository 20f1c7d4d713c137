import { type Clock, type Diagnosis, isPluginError, type Logger } from '@octo/plugin-api';
import { connectSftp, diagnoseSftp, type SftpOptions, type SftpSession } from '@octo/sftp';
import type { Entry, Folder, Version } from './folder.ts';

interface Services {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A login's files on an SFTP server.
 * @throws PluginError as `connectSftp`
 */
export async function serverFolder(
  server: SftpOptions,
  services: Services,
  signal: AbortSignal,
): Promise<Folder> {
  const session = await connectSftp(server, services, signal);
  return {
    list: (path, signal) => list(session, path, signal),
    stat: (path, signal) => stat(session, path, signal),
    read: ({ path, size }, offset, signal) => session.read(path, { offset, size }, signal),
    rename: (from, to, signal) => rename(session, from, to, signal),
    remove: async (path, signal) => {
      await session.remove(path, signal).catch(unlessMissing);
    },
    makeFolder: async (path, signal) => await session.makeFolder(path, signal),
    [Symbol.asyncDispose]: async () => await session[Symbol.asyncDispose](),
  };
}

/** The steps from the name of the server to the listing of the folder. */
export function diagnoseServer(
  server: SftpOptions,
  services: Services,
  inbox: string,
  signal: AbortSignal,
): AsyncIterable<Diagnosis> {
  return diagnoseSftp(server, services, spelled(inbox), signal);
}

async function* list(
  session: SftpSession,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  for await (const { kind, ...entry } of session.list(spelled(path), signal))
    if (kind !== 'folder') yield entry;
}

async function stat(
  session: SftpSession,
  path: string,
  signal: AbortSignal,
): Promise<Version | undefined> {
  const found = await session.lstat(path, signal);
  if (found?.kind !== 'file' || found.size === undefined) return undefined;
  return { path, size: found.size, mtimeMs: found.mtimeMs };
}

async function rename(session: SftpSession, from: string, to: string, signal: AbortSignal) {
  try {
    await session.rename(from, to, signal);
    return 'moved';
  } catch (error) {
    if (isPluginError(error) && error.code === 'TARGET_EXISTS') return 'exists';
    unlessMissing(error);
    return 'absent';
  }
}

function unlessMissing(error: unknown): void {
  if (!isPluginError(error) || error.type !== 'not_found') throw error;
}

/** The folder of the login has no name there. */
function spelled(folder: string): string {
  return folder === '.' ? '' : folder;
}
