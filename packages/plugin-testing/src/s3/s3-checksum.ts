/** The five checksum algorithms of S3, and how a multipart object's checksum follows from those of its parts. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { combineCrcs, crc32c, crc64nvme } from './crc.ts';
import { S3Error } from './s3-error.ts';

export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'SHA1', 'SHA256', 'CRC64NVME'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export interface Digest {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64; a composite one ends with `-` and the number of parts. */
  readonly value: string;
}

export function checksumDigest(algorithm: ChecksumAlgorithm): Digest {
  if (algorithm === 'CRC32') return crc32Digest();
  if (algorithm === 'CRC32C') return crc32c();
  if (algorithm === 'CRC64NVME') return crc64nvme();
  return createHash(algorithm.toLowerCase());
}

function crc32Digest(): Digest {
  let crc = 0;
  return {
    update(chunk) {
      crc = crc32(chunk, crc);
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(crc);
      return digest;
    },
  };
}

/** `x-amz-checksum-…` as it is named in a header. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** `Checksum…` as it is named in XML. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Parses the name of an algorithm. @throws S3Error InvalidRequest */
export function checksumAlgorithmOf(name: string): ChecksumAlgorithm {
  const found = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (found === undefined) {
    throw new S3Error(400, 'InvalidRequest', 'Checksum algorithm provided is unsupported.');
  }
  return found;
}

/**
 * The checksum type of a multipart upload.
 * @throws S3Error InvalidRequest for a pair that S3 does not know
 */
export function checksumTypeOf(
  algorithm: ChecksumAlgorithm,
  wanted: string | undefined,
): ChecksumType {
  const onlyFull = algorithm === 'CRC64NVME';
  const onlyComposite = algorithm.startsWith('SHA');
  if (wanted === undefined) return onlyFull ? 'FULL_OBJECT' : 'COMPOSITE';
  if (wanted === 'FULL_OBJECT' && !onlyComposite) return wanted;
  if (wanted === 'COMPOSITE' && !onlyFull) return wanted;
  throw new S3Error(
    400,
    'InvalidRequest',
    `The ${wanted} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

interface SummedPart {
  readonly bytes: number;
  /** Base64. */
  readonly checksum: string;
}

/** The checksum of the whole object. */
export function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly SummedPart[],
): ObjectChecksum {
  if (type === 'COMPOSITE') {
    const whole = checksumDigest(algorithm);
    for (const part of parts) whole.update(Buffer.from(part.checksum, 'base64'));
    return { algorithm, type, value: `${whole.digest().toString('base64')}-${parts.length}` };
  }
  const name = algorithm as 'CRC32' | 'CRC32C' | 'CRC64NVME';
  const whole = parts.reduce(
    (sum, part) => combineCrcs(name, sum, Buffer.from(part.checksum, 'base64'), part.bytes),
    checksumDigest(algorithm).digest(),
  );
  return { algorithm, type, value: whole.toString('base64') };
}
