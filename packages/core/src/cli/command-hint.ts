import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';

/**
 * A command line of this program for people to copy, with the manifest and state in use, quoted for a shell.
 * `OCTO_HOST_COMMAND` says how this program was called, such as `npm run octo-host --`.
 */
export function commandHint(words: readonly string[], args: Args, env: Environment['env']): string {
  const manifest = stringOption(args, 'manifest');
  const state = stringOption(args, 'state');
  const all = [
    ...words,
    ...(manifest === undefined ? [] : ['--manifest', manifest]),
    ...(state === undefined ? [] : ['--state', state]),
  ];
  return [env['OCTO_HOST_COMMAND'] ?? 'octo-host', ...all.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
