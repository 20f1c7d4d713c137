import { closeSync, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { Interrupted, type Input, type Output } from './environment.ts';
import { HiddenLine, PASTE, type Typed } from './hidden-line.ts';
import { UsageError } from './usage-error.ts';

/** stdin of this process, and its terminal. */
export class ProcessInput implements Input {
  readonly #prompt: Output;

  /** @param prompt where questions are shown */
  constructor(prompt: Output) {
    this.#prompt = prompt;
  }

  get isTerminal(): boolean {
    return process.stdin.isTTY ?? false;
  }

  get canAsk(): boolean {
    return this.isTerminal || (this.#prompt.isTerminal && hasTerminal());
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of process.stdin) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) break;
    }
    return Buffer.concat(chunks);
  }

  async askHidden(question: string, signal: AbortSignal): Promise<string> {
    using terminal = openTerminal(this.isTerminal);
    this.#prompt.write(PASTE.on + question);
    try {
      return await typedLine(terminal.stream, signal);
    } finally {
      this.#prompt.write(`${PASTE.off}\n`);
    }
  }
}

/** stdin where that is the terminal; beside a pipe the terminal is a file of its own. In raw mode nothing is echoed. */
function openTerminal(isStdin: boolean): Disposable & { readonly stream: ReadStream } {
  const stream = isStdin ? process.stdin : new ReadStream(openSync('/dev/tty', 'r+'));
  stream.setRawMode(true);
  stream.setEncoding('utf8');
  return {
    stream,
    [Symbol.dispose]: () => {
      stream.setRawMode(false);
      stream.pause();
      if (!isStdin) stream.destroy();
    },
  };
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

async function typedLine(stream: ReadStream, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Typed>();
  const line = new HiddenLine();
  const onData = (chunk: string) => {
    const typed = line.take(chunk);
    if (typed.state !== 'open') resolve(typed);
  };
  const onEnd = () => resolve(line.take('\u0004'));
  const onAbort = () => reject(signal.reason as Error);
  stream.on('data', onData).once('end', onEnd);
  // A question before this one has left it paused.
  stream.resume();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return lineOf(await promise);
  } finally {
    stream.off('data', onData).off('end', onEnd);
    signal.removeEventListener('abort', onAbort);
  }
}

function lineOf(typed: Typed): string {
  if (typed.state === 'complete') return typed.text;
  if (typed.state === 'interrupted') throw new Interrupted('SIGINT');
  throw new UsageError(
    'several lines came at once, and only one was expected; take a text of several lines from a file: < FILE',
  );
}
