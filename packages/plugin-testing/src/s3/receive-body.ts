/** Takes a request's body into a blob and believes none of its hashes before they were computed. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeAwsChunked } from './aws-chunked.ts';
import { BlobStore, type Blob } from './blob.ts';
import {
  CHECKSUM_ALGORITHMS,
  checksumAlgorithmOf,
  checksumDigest,
  checksumHeader,
  type ChecksumAlgorithm,
  type Digest,
} from './s3-checksum.ts';
import { badDigest, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { VerifiedSignature } from './sigv4.ts';

export interface ReceivedBody {
  readonly blob: Blob;
  /** Hex. Undefined when it was not wanted. */
  readonly md5: string | undefined;
  /** Base64, as the client declared it, or CRC-64/NVME when it declared none. */
  readonly checksum: {
    readonly algorithm: ChecksumAlgorithm;
    readonly value: string;
    readonly declared: boolean;
  };
}

export interface ReceiveOptions {
  readonly blobs: BlobStore;
  readonly md5: boolean;
  /** What to compute when the client declares no checksum. Default CRC64NVME. */
  readonly fallback?: ChecksumAlgorithm | undefined;
  /** Complete names the checksum of the object, not of its body, in its headers. */
  readonly checksumHeaders?: 'of-body' | 'of-object';
}

/**
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, InvalidDigest, InvalidRequest, IncompleteBody and the errors of
 *   chunk signatures; nothing is kept then
 */
export async function receiveBody(
  request: S3Request,
  verified: VerifiedSignature,
  options: ReceiveOptions,
): Promise<ReceivedBody> {
  const trailers = new Map<string, string>();
  const declared = options.checksumHeaders === 'of-object' ? undefined : declaredChecksum(request);
  const contentMd5 = request.headers['content-md5'];
  const hashes = {
    checksum: checksumDigest(declared?.algorithm ?? options.fallback ?? 'CRC64NVME'),
    sha256: /^[0-9a-f]{64}$/.test(verified.payload) ? createHash('sha256') : undefined,
    md5: options.md5 || contentMd5 !== undefined ? createHash('md5') : undefined,
  };
  const source = contentOf(request, verified, trailers);
  const blob = await options.blobs.take(hashed(source, Object.values(hashes)));
  try {
    checkLength(request, blob.bytes);
    if (hashes.sha256 !== undefined && hashes.sha256.digest('hex') !== verified.payload) {
      throw new S3Error(
        400,
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const md5 = hashes.md5?.digest();
    if (contentMd5 !== undefined) checkMd5(contentMd5, md5 as Buffer);
    const value = hashes.checksum.digest().toString('base64');
    if (declared !== undefined) checkDeclared(declared, value, request, trailers);
    const algorithm = declared?.algorithm ?? options.fallback ?? 'CRC64NVME';
    return {
      blob,
      md5: md5?.toString('hex'),
      checksum: { algorithm, value, declared: declared !== undefined },
    };
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

/** A whole small body, such as XML, checked in the same way. */
export async function receiveText(
  request: S3Request,
  verified: VerifiedSignature,
  checksumHeaders: 'of-body' | 'of-object' = 'of-body',
): Promise<string> {
  await using blobs = new BlobStore('memory');
  const options = { blobs, md5: false, checksumHeaders };
  const { blob } = await receiveBody(request, verified, options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.read(0, blob.bytes)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface Declared {
  readonly algorithm: ChecksumAlgorithm;
  /** Undefined when it comes as a trailer. */
  readonly value: string | undefined;
}

function declaredChecksum(request: S3Request): Declared | undefined {
  const found = CHECKSUM_ALGORITHMS.filter(
    (name) => request.headers[checksumHeader(name)] !== undefined,
  );
  const trailer = request.headers['x-amz-trailer']?.toLowerCase();
  if (found.length + (trailer === undefined ? 0 : 1) > 1) {
    throw new S3Error(400, 'InvalidRequest', 'Expecting a single x-amz-checksum- header.');
  }
  if (trailer !== undefined) {
    const algorithm = checksumAlgorithmOf(trailer.replace('x-amz-checksum-', ''));
    return { algorithm, value: undefined };
  }
  const [algorithm] = found;
  return algorithm && { algorithm, value: request.headers[checksumHeader(algorithm)] };
}

function contentOf(
  request: S3Request,
  verified: VerifiedSignature,
  trailers: Map<string, string>,
): AsyncIterable<Uint8Array> {
  const body = wholeBody(request.stream);
  if (!verified.payload.startsWith('STREAMING-')) return body;
  if (request.headers['x-amz-decoded-content-length'] === undefined) {
    throw new S3Error(
      411,
      'MissingContentLength',
      'You must provide x-amz-decoded-content-length.',
    );
  }
  return decodeAwsChunked(body, verified, trailers);
}

/** A client that goes away in the middle of its body has sent nothing. */
async function* wholeBody(stream: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk as Uint8Array;
  if (!stream.complete) throw new S3Error(400, 'RequestTimeout', 'The client went away.');
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hashes: readonly (Digest | undefined)[],
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (const hash of hashes) hash?.update(chunk);
    yield chunk;
  }
}

function checkLength(request: S3Request, bytes: number): void {
  const declared =
    request.headers['x-amz-decoded-content-length'] ?? request.headers['content-length'];
  if (declared === undefined) {
    throw new S3Error(
      411,
      'MissingContentLength',
      'You must provide the Content-Length HTTP header.',
    );
  }
  if (Number(declared) !== bytes) {
    throw new S3Error(
      400,
      'IncompleteBody',
      'You did not provide the number of bytes specified by the Content-Length HTTP header',
    );
  }
}

function checkMd5(given: string, computed: Buffer): void {
  if (Buffer.from(given, 'base64').length !== 16) {
    throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  if (!Buffer.from(given, 'base64').equals(computed)) throw badDigest('Content-MD5');
}

function checkDeclared(
  declared: Declared,
  computed: string,
  request: S3Request,
  trailers: ReadonlyMap<string, string>,
): void {
  const { algorithm } = declared;
  const given = declared.value ?? trailers.get(checksumHeader(algorithm));
  if (given === undefined) {
    throw new S3Error(
      400,
      'MalformedTrailerError',
      `The trailer ${checksumHeader(algorithm)} did not come.`,
    );
  }
  const named = request.headers['x-amz-sdk-checksum-algorithm'];
  if (named !== undefined && named !== algorithm) {
    throw new S3Error(
      400,
      'InvalidRequest',
      'Value for x-amz-sdk-checksum-algorithm header is invalid.',
    );
  }
  if (given !== computed) throw badDigest(algorithm);
}
