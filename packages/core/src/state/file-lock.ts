import { chmod } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/**
 * An exclusive lock that the kernel lets go the moment its process dies, however it dies: no process id to be reused, no
 * stale file to be judged, and good across containers that share a volume. Node offers no `flock`; SQLite takes the same
 * kind of lock for an open transaction, so an empty SQLite file serves as one.
 */
export async function takeFileLock(path: string): Promise<AsyncDisposable | undefined> {
  // Loaded late: processes that run foreign code are started without this module.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('begin exclusive');
    await chmod(path, 0o600);
  } catch (error) {
    database.close();
    if ((error as { readonly errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.asyncDispose]: async () => closeOnce(database) };
}

function closeOnce(database: DatabaseSync): void {
  if (database.isOpen) database.close();
}
