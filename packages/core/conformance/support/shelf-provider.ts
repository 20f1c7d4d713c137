/**
 * A vendor that is a folder, as a package without a copy of the contract would have it. Every file takes a few milliseconds to
 * read, so that a kill finds some on their way.
 */
export const shelfProvider = `
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const configSchema = { type: 'object', additionalProperties: false, required: ['folder'],
  properties: { folder: { type: 'string', access: 'read' } } };

function create({ config }) {
  const fileOf = async (name) => {
    const { size, mtimeMs } = await stat(join(config.folder, name));
    return { path: name, name, size, mtimeMs: Math.floor(mtimeMs), complete: true };
  };
  return { settleMs: 0, connect: async () => ({
    list: async function* () { for (const name of await readdir(config.folder)) yield await fileOf(name); },
    stat: ({ name }) => fileOf(name),
    read: async function* ({ name }, { offset }) {
      await setTimeout(5);
      yield* createReadStream(join(config.folder, name), { start: offset });
    },
    async [Symbol.asyncDispose]() {},
  }) };
}

export default { $octo: '@octo/plugin', contract: 1, name: 'shelf', kind: 'provider', configSchema, inject: {}, create };
`;
