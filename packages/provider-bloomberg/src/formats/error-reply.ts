import type { InspectionResult } from '@octo/plugin-api';
import { badReply } from './bad-reply.ts';
import type { ReplyParser } from './reply-parser.ts';

/** What Bloomberg writes instead of a reply when the request was wrong: a short text that begins with `#`. */
export class ErrorReply implements ReplyParser {
  #text = '';

  write(chunk: Buffer): void {
    if (this.#text.length < MAX_CHARACTERS) this.#text += chunk.toString('latin1', 0, MAX_BYTES);
  }

  finish(): InspectionResult {
    const said =
      this.#text
        .slice(0, MAX_CHARACTERS)
        .replace(/^#+\s*/, '')
        .split(/[\r\n]/)[0] ?? '';
    throw badReply(
      'ERROR_REPLY',
      `Bloomberg refused the request: ${said.trim() || 'no reason given'}`,
    );
  }
}

const MAX_CHARACTERS = 200;
const MAX_BYTES = 4_096;
