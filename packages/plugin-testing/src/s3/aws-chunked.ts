/**
 * The `aws-chunked` framing: chunks with optional signatures, and trailers behind the last one. What comes out is the
 * content alone. docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHash, createHmac } from 'node:crypto';
import { S3Error } from './s3-error.ts';
import { checkSignature, sha256Hex, type VerifiedSignature } from './sigv4.ts';

const EMPTY_SHA256 = sha256Hex('');
/** Longer than any chunk header or trailer line that a client sends. */
const MAX_LINE_BYTES = 4096;
/** S3 wants at least 8 KiB in every chunk but the last. */
const MIN_CHUNK_BYTES = 8192;

/**
 * Yields the content; sets the trailers, lower case, when the last chunk was seen.
 * @throws S3Error IncompleteBody, InvalidChunkSizeError, SignatureDoesNotMatch, MalformedTrailerError
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Uint8Array>,
  verified: VerifiedSignature,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader(body);
  const signed = verified.payload.startsWith('STREAMING-AWS4');
  let previous = verified.signature;
  let short = false;
  for (;;) {
    const { bytes, signature } = parseChunkHeader(await reader.line());
    if (short && bytes > 0) {
      throw new S3Error(
        403,
        'InvalidChunkSizeError',
        'Only the last chunk is allowed to have a size less than 8192 bytes',
      );
    }
    short = bytes < MIN_CHUNK_BYTES;
    const hash = signed ? createHash('sha256') : undefined;
    for await (const piece of reader.take(bytes)) {
      hash?.update(piece);
      yield piece;
    }
    if (hash !== undefined) {
      checkChunk(signature, previous, hash.digest('hex'), verified);
      previous = signature;
    }
    if (bytes === 0) break;
    await reader.emptyLine();
  }
  await readTrailers(reader, previous, verified, trailers);
}

function parseChunkHeader(line: string): { bytes: number; signature: string } {
  const match = /^([0-9a-fA-F]+)(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (match === null) throw incomplete();
  return { bytes: Number.parseInt(match[1] as string, 16), signature: match[2] ?? '' };
}

function checkChunk(
  given: string,
  previous: string,
  hash: string,
  verified: VerifiedSignature,
): void {
  const { timestamp, scope, signingKey } = verified;
  const lines = ['AWS4-HMAC-SHA256-PAYLOAD', timestamp, scope, previous, EMPTY_SHA256, hash];
  checkSignature(given, signingKey, lines.join('\n'));
}

async function readTrailers(
  reader: FrameReader,
  previous: string,
  verified: VerifiedSignature,
  trailers: Map<string, string>,
): Promise<void> {
  if (!verified.payload.endsWith('-TRAILER')) return;
  let canonical = '';
  let given = '';
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const at = line.indexOf(':');
    if (at < 0) throw new S3Error(400, 'MalformedTrailerError', 'The trailer could not be read.');
    const name = line.slice(0, at).toLowerCase();
    const value = line.slice(at + 1).trim();
    if (name === 'x-amz-trailer-signature') given = value;
    else {
      trailers.set(name, value);
      canonical += `${name}:${value}\n`;
    }
  }
  if (!verified.payload.startsWith('STREAMING-AWS4')) return;
  const { timestamp, scope, signingKey } = verified;
  const lines = ['AWS4-HMAC-SHA256-TRAILER', timestamp, scope, previous, sha256Hex(canonical)];
  checkSignature(given, signingKey, lines.join('\n'));
}

/** The signature of a chunk or a trailer, for tests that make such a body. */
export function signFrame(signingKey: Buffer, lines: readonly string[]): string {
  return createHmac('sha256', signingKey).update(lines.join('\n')).digest('hex');
}

/** Lines and counted runs of bytes, pulled from a stream of chunks. */
class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** Up to the next CR LF, which is taken, too. The end of the stream is an empty line. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + 2);
        return line;
      }
      if (this.#rest.length > MAX_LINE_BYTES) throw incomplete();
      if (!(await this.#more())) return this.#lastLine();
    }
  }

  async emptyLine(): Promise<void> {
    if ((await this.line()) !== '') throw incomplete();
  }

  async *take(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0 && !(await this.#more())) throw incomplete();
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  #lastLine(): string {
    if (this.#rest.length > 0) throw incomplete();
    return '';
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return true;
  }
}

function incomplete(): S3Error {
  return new S3Error(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}
