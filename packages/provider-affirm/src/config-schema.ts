import type { ConfigOf } from '@octo/plugin-api';
import { SETTLEMENT_NAMES } from './file-pattern.ts';

/** What the manifest may say about an Affirm feed. {@link checkConfig} refuses what a schema says badly. */
export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      description:
        'Name or address of the SFTP server, as Affirm told you. There is no public one.',
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 22 },
    username: { type: 'string', minLength: 1 },
    password: { type: 'string', minLength: 1, secret: true },
    privateKey: {
      type: 'string',
      minLength: 1,
      secret: true,
      description: 'The text of a private key, PEM or OpenSSH. Affirm asks for RSA 4096.',
    },
    passphrase: {
      type: 'string',
      minLength: 1,
      secret: true,
      description: 'Opens the private key.',
    },
    hostKeys: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^SHA256:[A-Za-z0-9+/]{43}=?$' },
      description:
        "Fingerprints of the server's host keys, as `ssh-keygen -l` prints them. Several while the vendor rotates.",
    },
    legacyAlgorithms: {
      type: 'boolean',
      default: false,
      description:
        'Also accept what is considered weak (SHA-1, CBC), for a server that knows no better.',
    },
    remoteDir: {
      type: 'string',
      minLength: 1,
      default: '.',
      description: 'The folder on the server; `.` is where the login arrives.',
    },
    directory: {
      type: 'string',
      minLength: 1,
      access: 'write',
      description:
        'Instead of host: a local folder into which the vendor pushes, relative to the manifest.',
    },
    pattern: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      default: SETTLEMENT_NAMES,
      description:
        'Regular expression that file names must match. Its named groups are words for the key template; ' +
        'merchant, from and to make the pairs that are held against each other, kind says how to inspect.',
    },
    settleMs: {
      type: 'integer',
      minimum: 0,
      default: 60_000,
      description:
        'How long size and time of a file must stay the same before it counts as complete.',
    },
    afterCommit: {
      description:
        'What happens to a file at the vendor once it is delivered. Moved and deleted files pass through an archive folder.',
      default: 'leave',
      oneOf: [
        { enum: ['leave', 'delete'] },
        {
          type: 'object',
          additionalProperties: false,
          required: ['moveTo'],
          properties: {
            moveTo: {
              type: 'string',
              minLength: 1,
              description: 'A folder, relative to remoteDir or directory. Made when it is missing.',
            },
          },
        },
      ],
    },
  },
  examples: [
    { directory: './drop' },
    {
      host: 'sftp.example.com',
      username: 'northwind',
      privateKey: '${file:keys/affirm-ssh}',
      hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
      remoteDir: 'outbound',
      afterCommit: { moveTo: 'archive' },
    },
  ],
} as const;

export type AffirmConfig = ConfigOf<typeof configSchema>;
