/** What became of a line that is typed: it goes on, is complete, was given up, or had more behind it at once. */
export type Typed =
  | { readonly state: 'open' | 'interrupted' | 'overflow' }
  | { readonly state: 'complete'; readonly text: string };

/** So a terminal marks what is pasted, once it was asked to. invisible-island.net/xterm/ctlseqs (bracketed paste) */
export const PASTE = { on: '\u001B[?2004h', off: '\u001B[?2004l' } as const;

/**
 * A line as it comes from a terminal in raw mode, keystroke by keystroke. What is pasted may have several lines, such as a
 * private key, where the terminal says that it is; elsewhere the rest would end up in the shell, and is noticed.
 */
export class HiddenLine {
  #text = '';
  #unread = '';
  #isPasted = false;

  /** @param chunk decoded text; an escape sequence may be cut anywhere */
  take(chunk: string): Typed {
    this.#unread += chunk;
    for (;;) {
      const [token] = TOKEN.exec(this.#unread) ?? [];
      if (token === undefined || CUT_SEQUENCE.test(this.#unread)) return { state: 'open' };
      this.#unread = this.#unread.slice(token.length);
      const typed = this.#token(token);
      if (typed !== undefined) return typed;
    }
  }

  #token(token: string): Typed | undefined {
    if (token === '\u001B[200~' || token === '\u001B[201~') {
      this.#isPasted = token === '\u001B[200~';
    } else if (this.#isPasted) {
      this.#text += token === '\r' || token === '\r\n' ? '\n' : token;
    } else if (token === '\u0003') {
      return { state: 'interrupted' };
    } else if (ENDS.includes(token)) {
      return this.#unread.trim() === '' ? this.#complete() : { state: 'overflow' };
    } else if (token === '\u007F' || token === '\b') {
      this.#text = this.#text.replace(/.$/su, '');
    } else if (token === '\u0015') {
      this.#text = '';
    } else if (token >= ' ') {
      this.#text += token;
    }
    return undefined;
  }

  #complete(): Typed {
    return { state: 'complete', text: this.#text };
  }
}

/** Enter, a line feed, Ctrl-D. */
const ENDS = ['\r', '\n', '\r\n', '\u0004'];

/** One keystroke: an escape sequence, such as that of an arrow, or a character. */
// oxlint-disable-next-line no-control-regex
const TOKEN = /^(?:\u001B\[[0-9;?]*[ -/]*[@-~]|\u001BO.|\r\n|.)/su;
// oxlint-disable-next-line no-control-regex
const CUT_SEQUENCE = /^\u001B(?:\[[0-9;?]*|O)?$/;
