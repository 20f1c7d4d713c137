import { OctoError } from '../errors/octo-error.ts';

/** Where a page ended, as callers carry it around without reading it. */
export function cursorOf(position: bigint): string {
  return Buffer.from(String(position)).toString('base64url');
}

/** @throws OctoError `OCTO_API_INVALID` */
export function positionOf(cursor: string): bigint {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  if (/^[0-9]{1,18}$/.test(text)) return BigInt(text);
  throw new OctoError(
    'OCTO_API_INVALID',
    'cursor is not one of ours; take the "next" of a page before',
  );
}
