import { expect, test } from 'vitest';
import { HiddenLine } from '../../src/cli/hidden-line.ts';

/** What becomes of keystrokes that come in chunks. */
function typed(...chunks: readonly string[]) {
  const line = new HiddenLine();
  return chunks.map((chunk) => line.take(chunk)).at(-1);
}

const pasted = (text: string) => `\u001B[200~${text}\u001B[201~`;

test.each([
  ['plain keys', ['hun', 'ter2', '\r'], 'hunter2'],
  ['a line feed at the end', ['hunter2\n'], 'hunter2'],
  ['both at the end', ['hunter2\r\n'], 'hunter2'],
  ['the end of the input', ['hunter2', '\u0004'], 'hunter2'],
  ['backspace', ['hunterä\u007F2\b2\r'], 'hunter2'],
  ['a line that is begun anew', ['wrong\u0015hunter2\r'], 'hunter2'],
  ['arrows and other keys', ['hunter\u001B[D\u001BOA\u001B[1;5C2\r'], 'hunter2'],
  ['an arrow that comes in two parts', ['hunter\u001B', '[D2\r'], 'hunter2'],
  ['another script', ['пароль🔑\r'], 'пароль🔑'],
  ['several lines that are pasted', [pasted('a\rb\nc\r'), '\r'], 'a\nb\nc\n'],
  ['a paste in two parts', ['\u001B[200', '~a\rb', '\u001B[201~\r'], 'a\nb'],
  ['nothing', ['\r'], ''],
])('%s', (_, chunks, text) => {
  expect(typed(...chunks)).toEqual({ state: 'complete', text });
});

test.each([
  ['Ctrl-C gives up', ['hunter\u0003'], 'interrupted'],
  ['lines that come at once without being a paste are noticed', ['a\rb\r'], 'overflow'],
  ['without Enter it goes on', ['hunter2'], 'open'],
])('%s', (_, chunks, state) => {
  expect(typed(...chunks)).toEqual({ state });
});
