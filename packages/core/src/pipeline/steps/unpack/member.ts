import { archiveInvalid } from './invalid.ts';

/** One regular file of an archive. */
export interface Member {
  /** Checked by {@link MemberNames}. */
  readonly path: string;
  /** Ends without error only when all of it is there and right. May be left unread only before the next is asked for. */
  bytes(): AsyncIterable<Uint8Array>;
}

const MAX_PATH_BYTES = 1024;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001F\u007F-\u009F\\\uFFFD\u202A-\u202E\u2066-\u2069]/;

/** The names in one archive: each one safe, and no two that some file system takes for the same. */
export class MemberNames {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /**
   * @returns the name in its plain form, without a leading `./`
   * @throws PluginError `integrity` for a name that leads outside, hides something, or is there twice
   */
  add(path: string): string {
    const plain = path.replace(/^(?:\.\/)+/, '');
    const segments = plain.split('/');
    if (!isSafe(plain, segments))
      throw archiveInvalid(`has a name that is not allowed: ${quoted(path)}`);
    const folded = segments.map((segment) => segment.normalize('NFC').toLowerCase());
    const key = folded.join('/');
    const parents = folded.slice(0, -1).map((_, depth) => folded.slice(0, depth + 1).join('/'));
    const clash =
      this.#files.has(key) || this.#folders.has(key) || parents.some((one) => this.#files.has(one));
    if (clash) throw archiveInvalid(`has two members of the same name: ${quoted(path)}`);
    this.#files.add(key);
    parents.forEach((one) => this.#folders.add(one));
    return plain;
  }
}

function isSafe(path: string, segments: readonly string[]): boolean {
  return (
    Buffer.byteLength(path) <= MAX_PATH_BYTES &&
    !FORBIDDEN.test(path) &&
    !/^[A-Za-z]:/.test(path) &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

/** Escaped, so that no terminal or log is led astray by it. */
export function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 100)).replaceAll(
    /[^\u0020-\u007E]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
