import { OctoError } from '../errors/octo-error.ts';

/** An error of the file system under the state folder, in words: what, where, what to do. Others pass as they are. */
export function stateError(error: unknown, path: string): unknown {
  const { code, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const say = (id: OctoError['code'], text: string): OctoError =>
    new OctoError(id, text, { cause: error });
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, error);
  if (code === 'EACCES' || code === 'EPERM')
    return say(
      'OCTO_STATE_DENIED',
      `no permission for the state folder ${path}; give it to this user, or name another one with --state`,
    );
  if (code === 'EROFS')
    return say(
      'OCTO_STATE_DENIED',
      `the state folder ${path} is on a read-only disk; name another one with --state`,
    );
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return say(
      'OCTO_STATE_DENIED',
      `there is a file where the state folder ${path} should be; remove it, or name another one with --state`,
    );
  if (code === 'ENOENT' && (syscall === 'mkdir' || syscall === 'stat'))
    return say(
      'OCTO_STATE_DENIED',
      `the state folder ${path} cannot be made there: a link that leads nowhere, or a disk that is not mounted; name another one with --state`,
    );
  return error;
}

export function diskFull(path: string, cause?: unknown): OctoError {
  return new OctoError(
    'OCTO_STATE_FULL',
    `the disk of the state folder ${path} is full; make room, then run again`,
    { cause },
  );
}
