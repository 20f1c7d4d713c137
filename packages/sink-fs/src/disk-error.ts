import { PluginError } from '@octo/plugin-api';

/** The errno of an error of `node:fs`, such as `ENOSPC`; `undefined` for every other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined;
  return (error as NodeJS.ErrnoException).code;
}

/** Waits for `work`; `undefined` when it fails with one of these errnos. */
export async function unless<T>(
  errnos: readonly string[],
  work: Promise<T>,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** What an error of the disk means to the host. Errors that are not of the disk stay as they are. */
export function asPluginError(cause: unknown, root: string): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PluginError(
        'provider_down',
        `no space left for folder '${root}' (${errno}): free some space or raise the quota`,
        { cause, code: 'DISK_FULL' },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PluginError(
        'auth',
        `no permission to write in folder '${root}' (${errno}): give this user the right to create, link and delete files there`,
        { cause, code: 'PERMISSION_DENIED' },
      );
    case 'ENAMETOOLONG':
      return new PluginError('validation', `the key is too long for a path in folder '${root}'`, {
        cause,
        code: 'KEY_TOO_LONG',
      });
    case 'EXDEV':
      return new PluginError(
        'validation',
        `a part of folder '${root}' lies on another file system than its '.octo': hard links can not reach it; use a sink of its own for that part`,
        { cause, code: 'NO_HARD_LINKS' },
      );
    case 'ENOENT':
      return new PluginError('not_found', `folder '${root}' was taken away while it was in use`, {
        cause,
        code: 'FOLDER_GONE',
      });
    case 'ENOTDIR':
    case 'ELOOP':
      return blockedKey(root, cause);
    default:
      return new PluginError(
        'provider_down',
        `the disk under folder '${root}' answered ${errno}: look at the system's log`,
        { cause, code: 'DISK_ERROR' },
      );
  }
}

/** Something that is no folder stands where the key needs a folder. */
export function blockedKey(path: string, cause?: unknown): PluginError {
  return new PluginError(
    'validation',
    `'${path}' is not a folder, so no object can be placed inside it`,
    { code: 'KEY_BLOCKED', ...(cause !== undefined && { cause }) },
  );
}
