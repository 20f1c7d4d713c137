import { randomBytes } from 'node:crypto';

/** With it the name of a staged file stays below the 255 bytes that file systems take. */
const LONGEST_KEY_PART = 200;

const UPLOAD_ID = /^[0-9a-f]{32}(?:-(?<key>[\w-]+))?$/;

/**
 * A new id of an upload: random, and with the key in it where that is short enough, so that nothing else has to remember which
 * key an upload is for.
 */
export function newUploadId(key: string): string {
  const random = randomBytes(16).toString('hex');
  const told = Buffer.from(key).toString('base64url');
  return told.length <= LONGEST_KEY_PART ? `${random}-${told}` : random;
}

/** Whether it is an id of ours: then it is a file name, too. */
export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

/** The key that the id tells, if it does. */
export function keyTold(id: string): string | undefined {
  const told = UPLOAD_ID.exec(id)?.groups?.['key'];
  return told === undefined ? undefined : Buffer.from(told, 'base64url').toString();
}
