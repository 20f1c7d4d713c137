import { mkdtemp, open, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing NUL included; `/.s.PGSQL.5432` takes 14. */
const LONGEST_FOLDER = 104 - 1 - 14;

export interface SocketFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * A name for a folder that is short enough for sockets in it. The server needs none: it stands in the folder. For us,
 * a long path is reached through an open folder, or where the system cannot do that, through a private link.
 */
export async function socketFolder(folder: string): Promise<SocketFolder> {
  if (Buffer.byteLength(folder) <= LONGEST_FOLDER)
    return { path: folder, [Symbol.asyncDispose]: async () => undefined };
  return process.platform === 'linux' ? await throughHandle(folder) : await throughLink(folder);
}

async function throughHandle(folder: string): Promise<SocketFolder> {
  const handle = await open(folder);
  return {
    path: `/proc/self/fd/${handle.fd}`,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function throughLink(folder: string): Promise<SocketFolder> {
  const parent = await mkdtemp(join(tmpdir(), 'octo-'));
  const path = join(parent, 's');
  await symlink(folder, path);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  };
}
