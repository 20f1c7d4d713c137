import type { CommandSpec, OptionSpec } from '../command.ts';
import { common } from './options.ts';

const options = {
  ...common,
  secrets: {
    type: 'string',
    value: 'FILE',
    summary: 'the store (default secrets.age in the state folder; or OCTO_SECRETS)',
  },
} as const satisfies Record<string, OptionSpec>;

const grants = {
  type: 'string',
  value: 'IDS',
  summary: 'who may use it: plugins, pipeline:ID, host:SECTION or *, with commas between',
} as const satisfies OptionSpec;

const noMore =
  "a value is never an argument: it would stay in the shell's history and in the list of processes. Give the name alone, and the value at the prompt or on standard input; if it stands in the history now, take it out";

const name = [{ name: 'name', required: true }];

/** The credential store. */
export const secretsCommands: readonly CommandSpec[] = [
  {
    name: 'secrets init',
    operands: [],
    summary: 'make a store for secrets, and its master key where there is none',
    details: [
      'The key is master.key in the state folder, or what OCTO_MASTER_KEY_FILE or OCTO_MASTER_KEY names.',
    ],
    options: {
      ...options,
      passphrase: { type: 'boolean', summary: 'ask for a passphrase that protects the new key' },
    },
    load: async () => (await import('../commands/secrets-init.ts')).secretsInit,
  },
  {
    name: 'secrets set',
    operands: name,
    noMore,
    summary: 'take a secret, or another value of one',
    details: [
      'Asks for the value at a terminal, where it is not shown; else reads it from standard input:',
      'octo-host secrets set affirm-ssh --for affirm < id_ed25519. One line end at its end is left out.',
      'Text of UTF-8, at most 64 KiB. Without --for the rights stay, and a new secret has none.',
    ],
    options: { ...options, for: grants },
    load: async () => (await import('../commands/secrets-set.ts')).secretsSet,
  },
  {
    name: 'secrets rotate',
    operands: name,
    noMore,
    summary: 'give a secret another value; who may use it stays',
    details: ['The value comes as with "secrets set". A running host takes it by itself.'],
    options,
    load: async () => (await import('../commands/secrets-rotate.ts')).secretsRotate,
  },
  {
    name: 'secrets list',
    operands: [],
    summary: 'list the secrets, who may use them, and how old they are; never a value',
    options,
    load: async () => (await import('../commands/secrets-list.ts')).secretsList,
  },
  {
    name: 'secrets get',
    operands: name,
    summary: 'show the value of a secret at a terminal',
    options: {
      ...options,
      reveal: { type: 'boolean', summary: 'write it wherever the output goes' },
    },
    load: async () => (await import('../commands/secrets-get.ts')).secretsGet,
  },
  {
    name: 'secrets remove',
    operands: name,
    summary: 'take a secret out of the store',
    details: ['It is in secrets.age.previous until the next change.'],
    options,
    load: async () => (await import('../commands/secrets-remove.ts')).secretsRemove,
  },
  {
    name: 'secrets grant',
    operands: name,
    summary: 'let plugins use a secret',
    options: { ...options, for: grants },
    load: async () => (await import('../commands/secrets-grant.ts')).secretsGrant,
  },
  {
    name: 'secrets revoke',
    operands: name,
    summary: 'let plugins use a secret no more',
    options: { ...options, from: { ...grants, summary: 'who may use it no more' } },
    load: async () => (await import('../commands/secrets-revoke.ts')).secretsRevoke,
  },
  {
    name: 'secrets import',
    operands: [{ name: 'file', required: true }],
    summary: 'take many secrets from a dotenv or JSON file; - is standard input',
    details: [
      'All of them or none: lines that could be read in two ways are named, and nothing is taken.',
      'JSON is { "name": "value" } or { "name": { "value": "…", "grants": ["lake"] } }.',
    ],
    options: { ...options, for: grants },
    load: async () => (await import('../commands/secrets-import.ts')).secretsImport,
  },
  {
    name: 'secrets export',
    operands: [],
    summary: "write all secrets, sealed for somebody else's key of age",
    details: ['What comes out is read by: age -d -i KEY FILE | octo-host secrets import -'],
    options: {
      ...options,
      to: { type: 'string', value: 'AGE1…', summary: 'the public half of that key' },
    },
    load: async () => (await import('../commands/secrets-export.ts')).secretsExport,
  },
  {
    name: 'secrets rotate-key',
    operands: [],
    summary: 'give the store another master key',
    details: [
      'Puts the new key into the place of the old one. Where the key is given from outside: --into FILE',
      'makes the new one, and the store opens with both; bring it there, then --finish.',
    ],
    options: {
      ...options,
      into: { type: 'string', value: 'FILE', summary: 'make the new key in a file of its own' },
      finish: { type: 'boolean', summary: 'seal the store for the key that is there now alone' },
    },
    load: async () => (await import('../commands/secrets-rotate-key.ts')).secretsRotateKey,
  },
  {
    name: 'secrets accept',
    operands: [],
    summary: 'use a store that is older than the one before: you restored a backup',
    options,
    load: async () => (await import('../commands/secrets-accept.ts')).secretsAccept,
  },
];
