import { join, sep } from 'node:path';
import { PluginError } from '@octo/plugin-api';

/** The sink's own folder inside the root; no object lies in it. */
export const INTERNAL_FOLDER = '.octo';

/** The longest name that the usual file systems take, in bytes. NAME_MAX, linux/limits.h */
const MAX_NAME_BYTES = 255;

/** Where the object of a key lies. */
export interface ObjectPath {
  readonly key: string;
  readonly file: string;
  /** The folders from the root (exclusive) down to the one of the file, absolute. */
  readonly folders: readonly string[];
}

/**
 * The place of a key below the root.
 * @throws PluginError `validation` for a key that is no path to somewhere inside the root
 */
export function objectPath(root: string, key: string): ObjectPath {
  const segments = key.split('/');
  for (const segment of segments) refuseSegment(key, segment);
  if (segments[0]?.toLowerCase() === INTERNAL_FOLDER) {
    throw invalidKey(key, `its first folder is the sink's own '${INTERNAL_FOLDER}'`);
  }
  const folders = segments.slice(0, -1).map((_, i) => join(root, ...segments.slice(0, i + 1)));
  return { key, file: join(root, ...segments), folders };
}

function refuseSegment(key: string, segment: string): void {
  if (segment === '' || segment === '.' || segment === '..') {
    throw invalidKey(key, "it has an empty, '.' or '..' segment");
  }
  if (segment.includes('\0')) throw invalidKey(key, 'it has a NUL character');
  if (sep !== '/' && segment.includes(sep)) throw invalidKey(key, `it has a '${sep}'`);
  if (Buffer.byteLength(segment) > MAX_NAME_BYTES) {
    throw invalidKey(key, `a segment is longer than ${MAX_NAME_BYTES} bytes`);
  }
}

function invalidKey(key: string, why: string): PluginError {
  return new PluginError(
    'validation',
    `key ${JSON.stringify(key)} is refused: ${why}; change "key" of the pipeline`,
    {
      code: 'KEY_REFUSED',
    },
  );
}
