import { MAX_VALUE_BYTES, valueProblem } from '../secrets/secret-entry.ts';
import type { Environment } from './environment.ts';
import { UsageError } from './usage-error.ts';

/**
 * The value of a secret: typed at a terminal where it is not shown, else all of standard input. One line end at its end does
 * not belong to it, as with `${file:}`. From now on no message shows it.
 * @throws UsageError for a value that is none; it is not repeated
 */
export async function secretValue(name: string, environment: Environment): Promise<string> {
  const { stdin, signal, redactor } = environment;
  const given = stdin.isTerminal
    ? await stdin.askHidden(`value of ${name} (it is not shown): `, signal)
    : inputText(await stdin.read(MAX_VALUE_BYTES + 2));
  const value = given.replace(/\r?\n$/, '');
  const problem = valueProblem(value);
  if (problem !== undefined)
    throw new UsageError(`the value of '${name}' ${problem}`, 'octo-host secrets set --help');
  redactor.add([value]);
  return value;
}

/** @throws UsageError for what is not UTF-8 */
export function inputText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError('what was read is not text of UTF-8', 'octo-host secrets --help');
  }
}
