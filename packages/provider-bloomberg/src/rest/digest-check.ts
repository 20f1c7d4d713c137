import { createHash, type Hash } from 'node:crypto';
import { PluginError } from '@octo/plugin-api';

/**
 * Holds a download against its `Digest`. Bloomberg does not say whether that is of the content or of the gzip that carries
 * it, so both are computed, and either will do.
 */
export class DigestCheck {
  readonly #expected: Promised | undefined;
  readonly #decoded: Hash | undefined;
  readonly #encoded: Hash | undefined;

  /** @param header such as `sha512=<base64>`; undefined when nothing was promised */
  constructor(header: string | undefined) {
    this.#expected = promisedIn(header);
    if (this.#expected === undefined) return;
    this.#decoded = createHash(this.#expected.algorithm);
    this.#encoded = createHash(this.#expected.algorithm);
  }

  /** Bytes of the content. */
  decoded(chunk: Uint8Array): void {
    this.#decoded?.update(chunk);
  }

  /** Bytes as they were sent. */
  encoded(chunk: Uint8Array): void {
    this.#encoded?.update(chunk);
  }

  /**
   * Which bytes the digest is of.
   * @throws PluginError `integrity` with code `DIGEST_MISMATCH`
   */
  finish(key: string): 'decoded' | 'encoded' | 'unchecked' {
    if (this.#expected === undefined) return 'unchecked';
    const { algorithm, digest } = this.#expected;
    if (this.#decoded?.digest().equals(digest) === true) return 'decoded';
    if (this.#encoded?.digest().equals(digest) === true) return 'encoded';
    throw new PluginError(
      'integrity',
      `'${key}' does not have the ${algorithm} that Bloomberg's Digest promises, neither decoded nor as sent; ask for it again`,
      { code: 'DIGEST_MISMATCH' },
    );
  }
}

interface Promised {
  readonly algorithm: string;
  readonly digest: Buffer;
}

/** RFC 3230 allows several; what we do not know is passed over. Hexadecimal is told by its length. */
function promisedIn(header = ''): Promised | undefined {
  for (const part of header.split(',')) {
    const [, name = '', value = ''] = /^\s*([\w-]+)=(\S+)\s*$/.exec(part) ?? [];
    const algorithm = name.toLowerCase().replace('-', '');
    const bytes = SIZES.get(algorithm);
    if (bytes === undefined) continue;
    const isHex = value.length === bytes * 2 && /^[0-9a-f]+$/i.test(value);
    const digest = Buffer.from(value, isHex ? 'hex' : 'base64');
    if (digest.length === bytes) return { algorithm, digest };
  }
  return undefined;
}

const SIZES: ReadonlyMap<string, number> = new Map([
  ['sha512', 64],
  ['sha384', 48],
  ['sha256', 32],
]);
