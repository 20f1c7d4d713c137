import {
  PluginError,
  type Done,
  type Inspection,
  type Provider,
  type RemoteFile,
  type Session,
} from '@octo/plugin-api';

interface StoredFile {
  readonly bytes: Uint8Array;
  readonly mtimeMs: number;
}

const ARCHIVE = 'archive/';

/** A vendor whose inbox and archive are two maps; it may move files after the commit, as SFTP providers do. */
export class MemoryVendor implements Provider {
  settleMs = 0;
  /** What `done` does. */
  afterCommit: 'leave' | 'move' = 'leave';
  chunkBytes = 4;
  connects = 0;
  /** Called before each chunk is handed out; may throw, or wait. */
  onChunk: (file: RemoteFile, offset: number) => void | Promise<void> = () => {};
  onConnect: () => void | Promise<void> = () => {};
  inspect: ((file: RemoteFile) => Inspection | undefined) | undefined;
  decode: Session['decode'];
  normalise: Session['normalise'];
  reconcile?: NonNullable<Provider['reconcile']>;
  readonly files = new Map<string, StoredFile>();
  readonly refused = new Map<string, string>();
  readonly fields: Record<string, string> = {};
  group: string | undefined;

  publish(path: string, content: string | Uint8Array, mtimeMs = 1_700_000_000_000): void {
    this.files.set(path, { bytes: Buffer.from(content), mtimeMs });
  }

  async connect(): Promise<Session> {
    this.connects++;
    await this.onConnect();
    const session: Session = {
      list: () => this.#list(),
      stat: async (file) => this.#listed(file.location ?? file.path),
      read: (file, { offset }, signal) => this.#read(file, offset, signal),
      done: async (file, id) => this.#done(file, id),
      [Symbol.asyncDispose]: async () => {},
    };
    if (this.inspect !== undefined) session.inspect = this.inspect;
    if (this.decode !== undefined) session.decode = this.decode;
    if (this.normalise !== undefined) session.normalise = this.normalise;
    return session;
  }

  async *#list(): AsyncGenerator<RemoteFile> {
    for (const path of this.files.keys()) yield this.#listed(path)!;
  }

  #listed(location: string): RemoteFile | undefined {
    const stored = this.files.get(location);
    if (stored === undefined) return undefined;
    const archived = /^archive\/(.+)\.([0-9a-f]{64})$/.exec(location);
    const path = archived?.[1] ?? location;
    return {
      path,
      name: path,
      size: stored.bytes.length,
      mtimeMs: stored.mtimeMs,
      location,
      fields: this.fields,
      ...(archived !== null && { archivedFor: archived[2]! }),
      ...(this.group !== undefined && { group: this.group }),
      ...(this.refused.has(location) && { refused: this.refused.get(location)! }),
    };
  }

  async *#read(file: RemoteFile, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let offset = from;
    for (;;) {
      signal.throwIfAborted();
      await this.onChunk(file, offset);
      const stored = this.files.get(file.location ?? file.path);
      if (stored === undefined) throw new PluginError('not_found', `'${file.name}' is gone`);
      const chunk = stored.bytes.subarray(offset, offset + this.chunkBytes);
      if (chunk.length === 0) return;
      offset += chunk.length;
      yield Uint8Array.from(chunk);
    }
  }

  #done(file: RemoteFile, id: string): Done | undefined {
    if (this.afterCommit === 'leave') return undefined;
    const archived = `${ARCHIVE}${file.path}.${id}`;
    const stored = this.files.get(file.path);
    if (stored?.bytes.length !== file.size || stored.mtimeMs !== file.mtimeMs)
      return this.files.has(archived) ? { location: archived } : undefined;
    this.files.delete(file.path);
    this.files.set(archived, stored);
    return { location: archived };
  }
}
