import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../observe/secret.ts';

/** An API key as its owner holds it: `octo_<id>_<secret>`. The id is public, the secret has 256 bits. */
export interface Credential {
  readonly id: string;
  /** The whole text. */
  readonly text: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const SHAPE = /^octo_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** @param random gives as many unguessable bytes as it is asked for */
export function newCredential(random: (bytes: number) => Buffer): Credential {
  const id = random(ID_BYTES).toString('hex');
  return { id, text: `octo_${id}_${random(SECRET_BYTES).toString('base64url')}` };
}

/** `undefined` for what was never one of ours. */
export function parseCredential(text: string): Credential | undefined {
  const id = SHAPE.exec(text)?.[1];
  return id === undefined ? undefined : { id, text };
}

/** What is kept of a key. A fast hash will do for 256 random bits; the pepper makes a stolen database worthless. */
export function credentialHash({ text }: Credential, pepper: Secret<Buffer>): Buffer {
  return createHmac('sha256', pepper.reveal()).update(text).digest();
}

/** In a time that says nothing about where they differ. */
export function sameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
