/** The root folder of an SFTP account: what is uploaded as `.req` is answered, some time later, beside it. */
import { gzipSync } from 'node:zlib';
import type { Clock } from '@octo/plugin-api';
import type { SftpOperation } from '../sftp/sftp-faults.ts';
import type { VirtualTree } from '../sftp/virtual-tree.ts';
import type { BloombergSftpFaults } from './sftp-account-faults.ts';
import { replyFrame, type FrameRequest } from './reply-frame.ts';
import { parseRequestFile, replyNameIn, RequestFileError } from './request-file.ts';
import { nextRun } from './recurrence.ts';
import { uuDesEncode } from './uu-des.ts';

/** A `.req` file that was uploaded. */
export interface ReceivedRequest {
  readonly name: string;
  readonly text: string;
  /** Why it is answered with `##`. */
  readonly problem?: string;
}

export interface SftpAccountOptions {
  readonly username: string;
  readonly clock: Clock;
  readonly tree: VirtualTree;
  readonly faults: BloombergSftpFaults;
  /** Ends every wait for a reply's time. */
  readonly closing: AbortSignal;
}

export class SftpAccount {
  readonly requests: ReceivedRequest[] = [];
  readonly #options: SftpAccountOptions;
  /** Uploads that are still open. */
  readonly #written = new Set<string>();
  /** Replies that show only a part of themselves, and how much of it. */
  readonly #growing = new Map<
    string,
    { readonly content: Uint8Array; parts: number; of: number }
  >();

  constructor(options: SftpAccountOptions) {
    this.#options = options;
  }

  /** To be told of every operation before it is answered. */
  watch({ name, path }: SftpOperation): void {
    if (name === 'WRITE') this.#written.add(path);
    if (name === 'CLOSE' && this.#written.delete(path) && path.endsWith('.req')) this.#take(path);
    if (name === 'OPENDIR') this.#grow();
  }

  /** Puts a file into the folder, as it would be after all that the faults ask for. */
  async put(name: string, text: string): Promise<void> {
    const { clock, faults, tree } = this.#options;
    const content = await wrapped(name, text, faults);
    const mtimeMs = clock.now();
    const { growing } = faults;
    if (growing === undefined) return void tree.file(`/${name}`, content, { mtimeMs });
    const first = content.subarray(0, Math.floor(content.length / (growing + 1)));
    tree.file(`/${name}`, first, { mtimeMs });
    this.#growing.set(name, { content, parts: 1, of: growing + 1 });
  }

  #take(path: string): void {
    const { clock, faults, tree, username } = this.#options;
    const text = Buffer.from(tree.bytes(path)).toString('latin1');
    const name = path.slice(1);
    tree.overwrite(path, text, { mtimeMs: clock.now() });
    const reply = replyNameIn(text) ?? name.replace(/\.req$/, '.out');
    const request = parsed(text, username);
    const problem = request instanceof RequestFileError ? request.message : faults.errorReply;
    this.requests.push({ name, text, ...(problem !== undefined && { problem }) });
    if (problem !== undefined) return this.#later(() => this.put(reply, `## ${problem}\n`));
    if (request instanceof RequestFileError) return;
    this.#answer(request, reply);
  }

  #answer(request: FrameRequest, reply: string): void {
    const startedMs = this.#options.clock.now();
    this.#later(async () => {
      await this.#deliver(request, reply, startedMs);
      const next = nextRun(request.headers.get('PROGRAMFLAG'), startedMs);
      if (next !== undefined) this.#at(next, () => this.#answer(request, reply));
    });
  }

  async #deliver(request: FrameRequest, reply: string, startedMs: number): Promise<void> {
    const { clock, faults } = this.#options;
    const text = replyFrame(request, {
      startedMs,
      finishedMs: clock.now(),
      dataRecords: faults.dataRecords,
      ...(faults.cut !== undefined && { cut: faults.cut }),
    });
    await this.put(nameOf(request, reply, startedMs, faults), text);
  }

  #later(work: () => Promise<void>): void {
    const { clock, faults } = this.#options;
    this.#at(clock.now() + faults.delayMs, () => void work());
  }

  #at(ms: number, work: () => void): void {
    const { clock, closing } = this.#options;
    const waitMs = ms - clock.now();
    if (waitMs <= 0) return work();
    clock.sleep(waitMs, closing).then(work, () => {});
  }

  /** Each look at the folder finds one more part of what grows. */
  #grow(): void {
    const { clock, tree } = this.#options;
    for (const [name, growth] of this.#growing) {
      const { content, of } = growth;
      growth.parts += 1;
      const end = Math.floor((content.length * growth.parts) / of);
      tree.overwrite(`/${name}`, content.subarray(0, end), { mtimeMs: clock.now() });
      if (growth.parts === of) this.#growing.delete(name);
    }
  }
}

function parsed(text: string, account: string): FrameRequest | RequestFileError {
  try {
    return parseRequestFile(text, account);
  } catch (error) {
    if (error instanceof RequestFileError) return error;
    throw error;
  }
}

function nameOf(
  { headers }: FrameRequest,
  reply: string,
  nowMs: number,
  faults: BloombergSftpFaults,
): string {
  const dated = faults.datedNames
    ? `${reply}.${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')}`
    : reply;
  const zipped = headers.get('COMPRESS') === 'yes' || headers.get('PROGRAMNAME') === 'gethistory';
  return zipped ? `${dated}.gz` : dated;
}

/** Compressed first, encrypted last; the name tells of the first only. */
async function wrapped(
  name: string,
  text: string,
  { encrypt, uuDes }: BloombergSftpFaults,
): Promise<Uint8Array> {
  const plain = Buffer.from(text);
  const zipped = name.endsWith('.gz') ? gzipSync(plain) : plain;
  const enciphered =
    uuDes === undefined ? zipped : Buffer.from(uuDesEncode(zipped, uuDes, name), 'latin1');
  return encrypt === undefined ? enciphered : encrypt(enciphered);
}
