import { readFile } from 'node:fs/promises';
import { flag, type CommandCode } from '../command.ts';

/** `octo-host version`. */
export const version: CommandCode = async (args, { stdout }) => {
  const file = new URL('../../../package.json', import.meta.url);
  const own = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
  const json = JSON.stringify({ version: own.version, node: process.versions.node });
  stdout.write(flag(args, 'json') ? `${json}\n` : `octo-host ${own.version}\n`);
  return 0;
};
