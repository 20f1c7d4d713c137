import { styleText } from 'node:util';
import type { Environment, Output } from './environment.ts';

/** What a piece of text means; how that looks is decided here. */
export type Meaning = 'good' | 'bad' | 'doubtful' | 'minor' | 'strong';
export type Paint = (meaning: Meaning, text: string) => string;

const looks = {
  good: 'green',
  bad: 'red',
  doubtful: 'yellow',
  minor: 'dim',
  strong: 'bold',
} as const;

/** Colors on a terminal that wants them (no-color.org); plain text elsewhere. */
export function paintFor(output: Output, env: Environment['env']): Paint {
  const colors = output.isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  if (!colors) return (_, text) => text;
  return (meaning, text) => styleText(looks[meaning], text, { validateStream: false });
}
