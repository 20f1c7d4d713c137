/** The folder and the servers that a case uses; whatever was started ends with it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram, type RunningProgram } from './servers/start-program.ts';
import { startSshd, type Sshd } from './servers/sshd.ts';

export class Ground implements AsyncDisposable {
  readonly folder: string;
  readonly #stack = new AsyncDisposableStack();
  #sshd: Promise<Sshd> | undefined;
  #sink: Promise<RunningProgram> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param parent where to put the data; default: the system's temporary folder */
  static async open(parent: string = tmpdir()): Promise<Ground> {
    const ground = new Ground(await mkdtemp(join(parent, 'octo-bench-')));
    ground.#stack.defer(() => rm(ground.folder, { recursive: true, force: true }));
    return ground;
  }

  /** A folder below, made when it is not there. */
  async at(...names: readonly string[]): Promise<string> {
    const path = join(this.folder, ...names);
    await mkdir(path, { recursive: true });
    return path;
  }

  sshd(): Promise<Sshd> {
    this.#sshd ??= this.#started(this.at('sshd').then(startSshd));
    return this.#sshd;
  }

  /** The endpoint of S3. */
  async s3(): Promise<string> {
    this.#sink ??= this.#started(startProgram('s3-sink.ts'));
    return `http://127.0.0.1:${(await this.#sink).port}`;
  }

  /** The port of a proxy in front of another port. */
  async delayed(port: number, roundTripMs: number): Promise<number> {
    if (roundTripMs === 0) return port;
    const proxy = startProgram('delay-proxy.ts', [String(port), String(roundTripMs)]);
    return (await this.#started(proxy)).port;
  }

  /** To be done when all is over. */
  defer(work: () => Promise<void>): void {
    this.#stack.defer(work);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #started<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
    return this.#stack.use(await starting);
  }
}
