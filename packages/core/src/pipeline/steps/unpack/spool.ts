import type { StepContext } from '../../step.ts';
import { coalesce } from '../coalesce.ts';
import { Growth } from '../growth.ts';
import { SpoolFile } from '../spool-file.ts';

const WRITE_BYTES = 256 * 1024;

/** A private copy of a stream on local disk, for what needs random access. Gone when it is disposed. */
export class Spool implements AsyncDisposable {
  readonly #file: SpoolFile;

  private constructor(file: SpoolFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  /**
   * @throws PluginError `integrity`, code `LIMIT`, for more than `limits.maxBytes`; `provider_down`, code `DISK_FULL`
   */
  static async of(bytes: AsyncIterable<Uint8Array>, context: StepContext): Promise<Spool> {
    await using stack = new AsyncDisposableStack();
    const file = stack.use(await SpoolFile.create(context.spoolFolder));
    const bound = new Growth({ ...context.limits, maxRatio: Infinity });
    bound.read = 1;
    for await (const chunk of coalesce(bytes, WRITE_BYTES)) {
      context.signal.throwIfAborted();
      bound.wrote(chunk.length);
      await file.write(chunk);
    }
    stack.move();
    return new Spool(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}
