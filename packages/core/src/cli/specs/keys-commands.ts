import type { CommandSpec } from '../command.ts';
import { common } from './options.ts';

/** Keys of the API. */
export const keysCommands: readonly CommandSpec[] = [
  {
    name: 'keys create',
    operands: [],
    summary: 'make a key for the API; it is printed once',
    details: [
      'Prints the key alone on stdout. A scope is an action, and for some a pipeline or how it begins:',
      'runs:read, runs:write:affirm-*, files:read, files:write, manifest:apply, metrics:read, admin …',
    ],
    options: {
      ...common,
      name: { type: 'string', value: 'TEXT', summary: 'what the key is for' },
      scope: { type: 'string', value: 'SCOPES', summary: 'what it may do, with commas between' },
      expires: {
        type: 'string',
        value: 'WHEN',
        summary: 'a period such as 90d, or a moment (default never)',
      },
    },
    load: async () => (await import('../commands/keys-create.ts')).keysCreate,
  },
  {
    name: 'keys list',
    operands: [],
    summary: 'list the keys of the API, and when they were used',
    options: common,
    load: async () => (await import('../commands/keys-list.ts')).keysList,
  },
  {
    name: 'keys revoke',
    operands: [{ name: 'id', required: true }],
    summary: 'make a key open nothing any more',
    options: common,
    load: async () => (await import('../commands/keys-revoke.ts')).keysRevoke,
  },
];
