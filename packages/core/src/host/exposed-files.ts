import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Issue } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Reference } from '../manifest/manifest-source.ts';
import { escapeText } from '../observe/escape-text.ts';

/** What others may do with a file, or its group beyond reading. */
const EXPOSED = 0o037;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY/;

/**
 * Files of `${file:}` that hold a secret and that other users of this machine can reach: those at places that a schema
 * marks secret, and private keys wherever they are. That the group reads one is fine: it may be how the host gets at it.
 */
export function exposedFiles(
  { source, folder }: Manifest,
  isSecret: (pointer: string) => boolean,
): Issue[] {
  if (process.platform === 'win32') return [];
  return [...source.references].flatMap(([pointer, references]) =>
    references
      .filter((one) => one.scheme === 'file' && (isSecret(pointer) || holdsKey(one)))
      .flatMap(({ text, name }) => {
        const file = resolve(folder, name);
        if (!isExposed(file)) return [];
        const problem = `refers to ${escapeText(text)}, which other users of this machine can reach; take that from them: chmod 600 '${escapeText(file)}'`;
        return [source.issue('OCTO_SECRET_FILE_EXPOSED', pointer, problem)];
      }),
  );
}

function holdsKey({ value }: Reference): boolean {
  return PRIVATE_KEY.test(value);
}

/** One that has gone since it was read is nobody's any more; one that a worker may not look at its host has looked at. */
function isExposed(file: string): boolean {
  if (!mayLookAt(file)) return false;
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & EXPOSED) !== 0;
}

/** Only a process that Node restricts has permissions. */
function mayLookAt(file: string): boolean {
  const { permission } = process as { readonly permission?: NodeJS.ProcessPermission };
  return permission?.has('fs.read', file) ?? true;
}
