import type { StepKind } from '../step.ts';
import { decodeKind } from './decode/decode.ts';
import { decompressKind } from './decompress/decompress.ts';
import { decryptKind } from './decrypt/decrypt.ts';
import { normaliseKind } from './normalise/normalise.ts';
import { unpackKind } from './unpack/unpack.ts';
import { verifyKind } from './verify/verify.ts';

/** Every kind of step that a manifest can name. */
export const stepKinds: readonly StepKind[] = [
  decryptKind,
  decompressKind,
  unpackKind,
  decodeKind,
  verifyKind,
  normaliseKind,
];
