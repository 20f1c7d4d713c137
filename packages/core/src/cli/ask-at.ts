import type { Ask } from '../secrets/master-key.ts';
import type { Environment } from './environment.ts';

/** Asks for a passphrase where somebody sits. */
export function askAt({ stdin, signal, redactor }: Environment): Ask {
  if (!stdin.canAsk) return undefined;
  return async (question) => {
    const text = await stdin.askHidden(question, signal);
    redactor.add([text]);
    return text;
  };
}
