import { hostKeyFromSeed, lockedKey, receivingKey } from '@octo/plugin-testing';
import { expect } from 'vitest';

/** Secrets of a site's manifest. They are looked for in everything that the program says. */
export const canary = {
  password: 'canary/password+of the=vendor?',
  passphrase: lockedKey.passphrase ?? '',
  sshKey: hostKeyFromSeed('canary of bad input').privateKey,
  openPgpKey: receivingKey.privateKey,
  s3AccessKeyId: 'AKIACANARYCANARYCANA',
  s3Secret: 'canary/s3+secret/canary/s3+secret/canary',
  databasePassword: 'canary-database-password',
} as const;

/** Every spelling in which a secret could slip out; of keys, their lines. */
const spellings = Object.values(canary).flatMap((secret) =>
  secret
    .split('\n')
    .filter((line) => line.length >= 8 && !line.startsWith('-----'))
    .flatMap((line) => {
      const bytes = Buffer.from(line);
      return [
        line,
        bytes.toString('base64').replace(/=+$/, ''),
        bytes.toString('base64url'),
        bytes.toString('hex'),
        encodeURIComponent(line),
        JSON.stringify(line).slice(1, -1),
      ];
    }),
);

export function expectNoSecret(text: string): void {
  const lowered = text.toLowerCase();
  expect(spellings.filter((spelling) => lowered.includes(spelling.toLowerCase()))).toEqual([]);
}
