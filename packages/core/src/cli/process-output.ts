import type { WriteStream } from 'node:tty';
import type { Output } from './environment.ts';

/**
 * stdout or stderr of this process. A reader that went away (`octo-host files | head`) is no error: what nobody reads
 * is not written.
 */
export class ProcessOutput implements Output {
  readonly #stream: WriteStream;
  #closed = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.on('error', () => {
      this.#closed = true;
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY ?? false;
  }

  get columns(): number {
    return this.#stream.columns || 80;
  }

  write(text: string): void {
    if (!this.#closed) this.#stream.write(text);
  }

  /** Resolves when all that was written has left the process. */
  async flushed(): Promise<void> {
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.once('error', () => resolve());
    this.#stream.write('', () => resolve());
    await promise;
  }
}
