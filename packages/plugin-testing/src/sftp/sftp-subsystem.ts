/** One SFTP conversation on the server's side: requests in, replies out, faults between. */
import { posix } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServerChannel } from 'ssh2';
import { SftpStatus, type ServedFile, type ServedFiles } from './served-files.ts';
import type { SftpFaults, SftpOperation } from './sftp-faults.ts';
import * as wire from './sftp-wire.ts';

export interface SubsystemContext {
  readonly files: ServedFiles;
  readonly faults: SftpFaults;
  /** Every operation but READ, in order of arrival. */
  readonly log: SftpOperation[];
  readonly counts: SftpCounts;
  drop(how: 'close' | 'reset'): void;
}

export interface SftpCounts {
  connections: number;
  reads: number;
  readBytes: number;
  /** The most reads that waited for an answer at the same time. */
  mostOutstandingReads: number;
  openHandles: number;
}

interface Request extends SftpOperation {
  readonly type: number;
  readonly id: number;
  readonly handle: string;
  readonly bytePath: string;
  readonly byteTo: string;
  readonly flags: number;
  readonly data: Uint8Array;
}

interface Handle {
  readonly path: string;
  readonly file?: ServedFile;
  readonly names?: Iterator<wire.ListedName>;
}

/** Serves the channel until it closes. */
export function serveSftp(channel: ServerChannel, context: SubsystemContext): void {
  const conversation = new Conversation(channel, context);
  channel.on('data', (chunk: Buffer) => conversation.take(chunk));
  channel.on('error', () => {});
  channel.on('close', () => void conversation.close());
}

class Conversation {
  readonly #channel: ServerChannel;
  readonly #context: SubsystemContext;
  readonly #handles = new Map<string, Handle>();
  readonly #queue: Request[] = [];
  #input: Buffer = Buffer.alloc(0);
  #working = false;
  #stalled = false;
  #closed = false;
  #nextHandle = 1;

  constructor(channel: ServerChannel, context: SubsystemContext) {
    this.#channel = channel;
    this.#context = context;
  }

  take(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    while (this.#input.length >= 4) {
      const end = 4 + this.#input.readUInt32BE(0);
      if (this.#input.length < end) break;
      const packet = this.#input.subarray(4, end);
      this.#input = this.#input.subarray(end);
      if (packet[0] === 1) this.#send(wire.versionReply());
      else this.#enqueue(this.#parsed(packet));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const id of this.#handles.keys()) await this.#closeHandle(id).catch(() => {});
  }

  #enqueue(request: Request): void {
    const { counts, faults, log } = this.#context;
    const waiting = 1 + this.#queue.filter(({ name }) => name === request.name).length;
    const most = { READ: faults.mostOutstandingReads, READDIR: faults.mostOutstandingListings };
    if (waiting > (most[request.name as keyof typeof most] ?? Infinity)) {
      return this.#send(wire.statusReply(request.id, wire.STATUS.failure, 'Too many requests'));
    }
    if (request.name === 'READ') {
      counts.reads++;
      counts.mostOutstandingReads = Math.max(counts.mostOutstandingReads, waiting);
    } else {
      const { name, path, to } = request;
      log.push({ name, path, ...(to === undefined ? {} : { to }) });
    }
    this.#queue.push(request);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    // Lets everything that has arrived be queued first, so that order and count of outstanding reads mean something.
    await pause(0);
    for (;;) {
      const next = this.#next();
      if (next === undefined || this.#closed) break;
      await this.#answer(next);
      this.#queue.splice(this.#queue.indexOf(next), 1);
    }
    this.#working = false;
  }

  #next(): Request | undefined {
    if (this.#context.faults.shuffled !== true) return this.#queue[0];
    const firstOther = this.#queue.findIndex(({ name }) => name !== 'READ');
    return this.#queue.at(firstOther === -1 ? -1 : Math.max(0, firstOther - 1));
  }

  async #answer(request: Request): Promise<void> {
    const { faults } = this.#context;
    try {
      await faults.before?.(request);
      if (faults.unanswered?.includes(request.name) === true) return;
      if (faults.malformed?.includes(request.name) === true) {
        return this.#send(wire.malformedReply(request.id));
      }
      const refusal = faults.refuse?.(request);
      if (refusal !== undefined) throw new SftpStatus(refusal, '');
      await this.#perform(request);
    } catch (error) {
      const known = error instanceof SftpStatus;
      const status = known ? error.status : wire.STATUS.failure;
      this.#send(wire.statusReply(request.id, status, known ? error.message : String(error)));
    }
  }

  async #perform(request: Request): Promise<void> {
    const { files } = this.#context;
    const { id, bytePath: path } = request;
    switch (request.name) {
      case 'OPEN':
        return this.#open(id, { path, file: await files.open(path, request.flags) });
      case 'OPENDIR':
        return this.#open(id, { path, names: await files.list(path) });
      case 'CLOSE':
        await this.#closeHandle(request.handle);
        return this.#ok(id);
      case 'READ':
        return this.#read(request);
      case 'WRITE':
        await this.#file(request).write(request.offset ?? 0, request.data);
        return this.#ok(id);
      case 'READDIR':
        return this.#readNames(request);
      case 'STAT':
        return this.#send(wire.attributesReply(id, await files.stat(path)));
      case 'LSTAT':
        return this.#send(wire.attributesReply(id, await files.lstat(path)));
      case 'FSTAT':
        return this.#send(wire.attributesReply(id, await this.#file(request).stat()));
      case 'REALPATH':
        return this.#send(wire.nameReply(id, [{ name: path, longname: path, attributes: {} }]));
      case 'RENAME':
        if (this.#context.faults.renameReplaces === true) {
          await files.remove(request.byteTo).catch(() => {});
        }
        await files.rename(path, request.byteTo);
        return this.#ok(id);
      case 'REMOVE':
        await files.remove(path);
        return this.#ok(id);
      case 'MKDIR':
        await files.makeFolder(path);
        return this.#ok(id);
      // Clients that upload set times and modes; accepted and forgotten.
      case 'SETSTAT':
      case 'FSETSTAT':
        return this.#ok(id);
      default:
        throw new SftpStatus(wire.STATUS.unsupported, 'Operation unsupported');
    }
  }

  async #read(request: Request): Promise<void> {
    const { counts, faults } = this.#context;
    const { id, offset = 0, length = 0 } = request;
    const file = this.#file(request);
    if (this.#stalled || this.#stalls(offset + length)) return;
    if (offset >= (faults.emptyAt ?? Infinity)) {
      return this.#send(wire.dataReply(id, new Uint8Array()));
    }
    if (faults.trickle !== undefined)
      await pause(faults.trickle.everyMs, undefined, { ref: false });
    const dropping = this.#drops(offset + length);
    const asked = dropping === undefined ? this.#shortened(length) : dropping.byte - offset;
    const wanted = Math.min(asked, (faults.endAt ?? Infinity) - offset);
    const data = wanted <= 0 ? new Uint8Array() : await file.read(offset, wanted);
    counts.readBytes += data.length;
    const extra = Buffer.alloc(faults.overlong ?? 0);
    if (data.length > 0) this.#send(wire.dataReply(id, Buffer.concat([data, extra])));
    else if (dropping === undefined)
      this.#send(wire.statusReply(id, wire.STATUS.eof, 'End of file'));
    if (dropping !== undefined) this.#context.drop(dropping.how);
  }

  #stalls(end: number): boolean {
    const { stallAt } = this.#context.faults;
    this.#stalled = stallAt !== undefined && end > stallAt.byte && spend(stallAt);
    return this.#stalled;
  }

  #drops(end: number): SftpFaults['dropAt'] {
    const { dropAt } = this.#context.faults;
    return dropAt !== undefined && end > dropAt.byte && spend(dropAt) ? dropAt : undefined;
  }

  #shortened(length: number): number {
    const { shortReads, trickle } = this.#context.faults;
    const most = shortReads === 'random' ? 1 + Math.floor(Math.random() * length) : shortReads;
    return Math.min(length, most ?? Infinity, trickle?.bytes ?? Infinity);
  }

  #readNames(request: Request): void {
    const names = this.#handle(request).names;
    if (names === undefined) throw new SftpStatus(wire.STATUS.failure, 'Not a folder');
    const batch: wire.ListedName[] = [];
    for (let size = 0; size < MAX_NAMES_BYTES && batch.length < MAX_NAMES;) {
      const next = names.next();
      if (next.done === true) break;
      batch.push(next.value);
      size += next.value.name.length + next.value.longname.length + 32;
    }
    if (batch.length === 0) throw new SftpStatus(wire.STATUS.eof, 'End of file');
    this.#send(wire.nameReply(request.id, batch));
  }

  #open(id: number, handle: Handle): void {
    const name = `h${this.#nextHandle++}`;
    this.#handles.set(name, handle);
    this.#context.counts.openHandles++;
    this.#send(wire.handleReply(id, name));
  }

  async #closeHandle(name: string): Promise<void> {
    const handle = this.#handles.get(name);
    if (handle === undefined) throw new SftpStatus(wire.STATUS.failure, 'Invalid handle');
    this.#handles.delete(name);
    this.#context.counts.openHandles--;
    await handle.file?.close();
  }

  #handle({ handle }: Request): Handle {
    const found = this.#handles.get(handle);
    if (found === undefined) throw new SftpStatus(wire.STATUS.failure, 'Invalid handle');
    return found;
  }

  #file(request: Request): ServedFile {
    const { file } = this.#handle(request);
    if (file === undefined) throw new SftpStatus(wire.STATUS.failure, 'Not a file');
    return file;
  }

  #ok(id: number): void {
    this.#send(wire.statusReply(id, wire.STATUS.ok, ''));
  }

  #send(reply: Buffer): void {
    if (!this.#closed && this.#channel.writable) this.#channel.write(reply);
  }

  #parsed(packet: Buffer): Request {
    const reader = new wire.PacketReader(packet);
    const type = reader.byte();
    const name = wire.REQUEST_NAMES[type] ?? `type ${type}`;
    const id = reader.uint32();
    const subject = reader.text();
    const onHandle = HANDLE_REQUESTS.has(name);
    const bytePath = onHandle
      ? (this.#handles.get(subject)?.path ?? '')
      : posix.resolve('/', subject);
    const byteTo = name === 'RENAME' ? posix.resolve('/', reader.text()) : '';
    const flags = name === 'OPEN' ? reader.uint32() : 0;
    const offset = name === 'READ' || name === 'WRITE' ? reader.uint64() : undefined;
    const data = name === 'WRITE' ? reader.bytes() : new Uint8Array();
    const length = name === 'READ' ? reader.uint32() : data.length;
    const path = wire.readable(bytePath);
    const to = name === 'RENAME' ? { to: wire.readable(byteTo) } : {};
    const range = offset === undefined ? {} : { offset, length };
    return {
      type,
      id,
      name,
      path,
      ...to,
      ...range,
      handle: subject,
      bytePath,
      byteTo,
      flags,
      data,
    };
  }
}

const MAX_NAMES = 128;
const MAX_NAMES_BYTES = 24 * 1024;
const HANDLE_REQUESTS = new Set(['CLOSE', 'READ', 'WRITE', 'FSTAT', 'FSETSTAT', 'READDIR']);

/** Whether a fault that happens `times` times happens now. */
function spend(fault: { times?: number }): boolean {
  if (fault.times === undefined) return true;
  return fault.times-- > 0;
}
