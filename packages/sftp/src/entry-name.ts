/** A vendor's file names are opaque: what could be mistaken for a path, or cannot be spelled back, is refused. */
import { displayPath } from './display-path.ts';

/** Why an entry of this name must not be opened, beginning with an upper-case code; undefined for a good name. */
export function refusalOfName(name: string): string | undefined {
  const shown = displayPath(name);
  if (name.includes('\uFFFD')) {
    return `UNREADABLE_NAME: ${shown} is not UTF-8, so the file cannot be asked for; the vendor must rename it`;
  }
  const reason = unsafe(name);
  return reason === undefined
    ? undefined
    : `UNSAFE_NAME: ${shown} ${reason}; the vendor must rename it`;
}

function unsafe(name: string): string | undefined {
  if (name === '') return 'is an empty name';
  if (name === '.' || name === '..') return 'is the name of a folder';
  if (name.includes('/')) return 'contains a slash';
  if (/\p{Cc}/u.test(name)) return 'contains control characters';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** NAME_MAX of the file systems of this world. */
const MAX_NAME_BYTES = 255;
