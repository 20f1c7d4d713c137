import { OctoError } from '../errors/octo-error.ts';
import { describeError } from '../observe/describe-error.ts';

/** What is protected is not done, and runs wait, while this holds. */
export function auditUnavailable(folder: string, why: string, cause?: unknown): OctoError {
  return new OctoError(
    'OCTO_AUDIT_UNAVAILABLE',
    `the audit log in ${folder} cannot be written: ${why}; nothing that must be recorded is done meanwhile`,
    cause === undefined ? {} : { cause },
  );
}

/** An error of the file system, in words. */
export function whyNotWritten(error: unknown): string {
  const { code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full; make room';
  if (code === 'EACCES' || code === 'EPERM')
    return 'this user has no permission; give the folder to the user of the host';
  if (code === 'EROFS') return 'the disk is read-only';
  return describeError(error);
}
