import { createHash } from 'node:crypto';
import type { Proof } from '@octo/plugin-api';
import { crc64nvme } from './s3/crc.ts';

/** What a host that wrote exactly these bytes would hand to `commit`. */
export function proofOf(bytes: Uint8Array, replace?: { readonly etag: string }): Proof {
  const crc = crc64nvme();
  crc.update(bytes);
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest(),
    crc64nvme: crc.digest(),
    ...(replace && { replace }),
  };
}
