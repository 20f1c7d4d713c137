import { basename } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { OtherKey } from './age-file.ts';
import { previousOf } from './secret-place.ts';
import { NewerFormat, NotVouchedFor } from './store-document.ts';

/** What went wrong while a store was opened, in one line that says what to do. */
export function whyNotOpened(error: unknown, file: string, key: string): unknown {
  if (error instanceof OctoError) return error;
  if (error instanceof OtherKey) return closedWithAnotherKey(file, key);
  if (error instanceof NewerFormat)
    return new OctoError(
      'OCTO_SECRETS_NEWER',
      `a newer Octo has written the secret store ${file} (${error.message}); update this one`,
    );
  if (error instanceof NotVouchedFor) return storeDamaged(file, error.message);
  return storeDamaged(file, 'it was changed or cut off, or is no age file', error);
}

export function storeDamaged(file: string, why: string, cause?: unknown): OctoError {
  return new OctoError(
    'OCTO_SECRETS_DAMAGED',
    `the secret store ${file} is not used: ${why}; put ${basename(previousOf(file))} or a backup into its place, then: octo-host secrets accept`,
    cause === undefined ? {} : { cause },
  );
}

export function rolledBack(file: string, why: string): OctoError {
  return new OctoError(
    'OCTO_SECRETS_ROLLED_BACK',
    `the secret store ${file} is not used: ${why}; if you restored a backup: octo-host secrets accept`,
  );
}

export function noStore(file: string, wasThere: boolean): OctoError {
  return new OctoError(
    'OCTO_SECRETS_NOT_FOUND',
    wasThere
      ? `the secret store ${file} is gone; put ${basename(previousOf(file))} or a backup into its place, then: octo-host secrets accept`
      : `there is no secret store ${file}; make one with: octo-host secrets init`,
  );
}

export function storeExists(file: string): OctoError {
  return new OctoError(
    'OCTO_SECRETS_EXISTS',
    `there is a secret store already, ${file}; octo-host secrets list shows what is in it`,
  );
}

export function storeBusy(file: string): OctoError {
  return new OctoError(
    'OCTO_SECRETS_BUSY',
    `another octo-host is changing the secret store ${file}; run again when it is done`,
  );
}

/** Which of the two it is nobody can tell without the right key. */
function closedWithAnotherKey(file: string, key: string): OctoError {
  return new OctoError(
    'OCTO_SECRETS_OTHER_KEY',
    `the secret store ${file} does not open with the master key in ${key}: it is closed with another key, or its beginning was changed; bring that key, or a backup of the store`,
  );
}
