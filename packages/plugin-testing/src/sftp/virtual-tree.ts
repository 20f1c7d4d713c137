/**
 * Files in memory for the loopback SFTP server, with the manners of a real file system: an open file stays what it was
 * when its name is replaced or removed, and changes under the reader when it is overwritten in place.
 */
import { posix } from 'node:path';
import { contentOf, type FileContent } from './file-content.ts';
import {
  longnameOf,
  MODE,
  noSuchFile,
  SftpStatus,
  type ServedFile,
  type ServedFiles,
} from './served-files.ts';
import { byteString, OPEN_FLAGS, STATUS, type Attributes, type ListedName } from './sftp-wire.ts';

type Text = string | Uint8Array;

export interface VirtualEntryOptions {
  /** Default: 2026-01-15T02:30:00Z. */
  readonly mtimeMs?: number;
  /** The whole mode with its type bits, such as `0o010644` for a FIFO. */
  readonly mode?: number;
  /** The size that STAT and listings claim; `none` claims nothing. Default: the true one. */
  readonly claimedSize?: number | 'none';
  /** What listings say in place of an honest `ls -l` line. */
  readonly longname?: string;
}

/** One entry of a listing that needs no file behind it. */
export interface VirtualListing extends VirtualEntryOptions {
  readonly name: Text;
}

interface Node extends VirtualEntryOptions {
  readonly type: 'file' | 'folder' | 'symlink';
  content: FileContent;
  mtimeMs: number;
  mode: number;
  target: string;
  listing?: () => Iterable<VirtualListing>;
}

export class VirtualTree implements ServedFiles {
  readonly #nodes = new Map<string, Node>([['/', node('folder', {})]]);

  /** Puts a new file at the path. A file that was there stays what it was for those who have it open. */
  file(path: Text, content: Text | FileContent, options: VirtualEntryOptions = {}): this {
    const isContent = typeof content === 'object' && 'read' in content;
    const file = node('file', options);
    file.content = isContent ? content : contentOf(content);
    return this.#put(path, file);
  }

  folder(path: Text, options: VirtualEntryOptions = {}): this {
    return this.#put(path, node('folder', options));
  }

  symlink(path: Text, target: Text, options: VirtualEntryOptions = {}): this {
    const link = node('symlink', options);
    link.target = byteString(target);
    return this.#put(path, link);
  }

  /** Lets a folder list whatever is given, for ever if need be, in place of its entries. */
  listing(path: Text, entries: () => Iterable<VirtualListing>): this {
    this.#at(absolute(byteString(path))).listing = entries;
    return this;
  }

  /** Changes the bytes of the file itself, so that those who have it open see it. */
  overwrite(path: Text, content: Text | FileContent, options: { mtimeMs?: number } = {}): this {
    const file = this.#at(absolute(byteString(path)));
    file.content = typeof content === 'object' && 'read' in content ? content : contentOf(content);
    file.mtimeMs = options.mtimeMs ?? file.mtimeMs;
    return this;
  }

  has(path: Text): boolean {
    return this.#nodes.has(absolute(byteString(path)));
  }

  /** The whole content of a file, for assertions on small ones. */
  bytes(path: Text): Uint8Array {
    const { content } = this.#at(absolute(byteString(path)));
    return content.read(0, content.size);
  }

  delete(path: Text): this {
    this.#nodes.delete(absolute(byteString(path)));
    return this;
  }

  async open(path: string, flags: number): Promise<ServedFile> {
    if ((flags & OPEN_FLAGS.create) !== 0 && !this.#nodes.has(path)) {
      this.#put(Buffer.from(path, 'latin1'), node('file', { mtimeMs: Date.now() }));
    }
    const file = this.#followed(path);
    if (file.type !== 'file') throw new SftpStatus(STATUS.failure, 'Failure');
    if ((flags & OPEN_FLAGS.truncate) !== 0) file.content = contentOf('');
    return opened(file);
  }

  async stat(path: string): Promise<Attributes> {
    return attributesOf(this.#followed(path));
  }

  async lstat(path: string): Promise<Attributes> {
    return attributesOf(this.#at(path));
  }

  async list(path: string): Promise<Iterator<ListedName>> {
    const folder = this.#followed(path);
    if (folder.type !== 'folder') throw new SftpStatus(STATUS.failure, 'Failure');
    if (folder.listing !== undefined) return listed(folder.listing())[Symbol.iterator]();
    return this.#entries(path)[Symbol.iterator]();
  }

  async rename(from: string, to: string): Promise<void> {
    const moved = this.#at(from);
    if (this.#nodes.has(to)) throw new SftpStatus(STATUS.failure, 'Failure');
    if (!this.#nodes.has(posix.dirname(to))) throw noSuchFile();
    const inside = [...this.#nodes].filter(([path]) => path.startsWith(`${from}/`));
    for (const [path, entry] of inside) {
      this.#nodes.delete(path);
      this.#nodes.set(to + path.slice(from.length), entry);
    }
    this.#nodes.delete(from);
    this.#nodes.set(to, moved);
  }

  async remove(path: string): Promise<void> {
    if (this.#at(path).type === 'folder') throw new SftpStatus(STATUS.failure, 'Failure');
    this.#nodes.delete(path);
  }

  async makeFolder(path: string): Promise<void> {
    if (this.#nodes.has(path)) throw new SftpStatus(STATUS.failure, 'Failure');
    if (!this.#nodes.has(posix.dirname(path))) throw noSuchFile();
    this.#nodes.set(path, node('folder', {}));
  }

  #put(path: Text, entry: Node): this {
    const place = absolute(byteString(path));
    const parent = posix.dirname(place);
    if (!this.#nodes.has(parent)) this.folder(Buffer.from(parent, 'latin1'));
    this.#nodes.set(place, entry);
    return this;
  }

  #at(path: string): Node {
    const found = this.#nodes.get(path);
    if (found === undefined) throw noSuchFile();
    return found;
  }

  #followed(path: string): Node {
    const found = this.#at(path);
    return found.type === 'symlink'
      ? this.#at(posix.resolve(posix.dirname(path), found.target))
      : found;
  }

  *#entries(folder: string): Iterable<ListedName> {
    const prefix = folder === '/' ? '/' : `${folder}/`;
    for (const [path, entry] of this.#nodes) {
      const name = path.slice(prefix.length);
      if (!path.startsWith(prefix) || name === '' || name.includes('/')) continue;
      yield nameOf(name, entry);
    }
  }
}

function* listed(entries: Iterable<VirtualListing>): Iterable<ListedName> {
  for (const entry of entries) yield nameOf(byteString(entry.name), node('file', entry));
}

function nameOf(name: string, entry: Node): ListedName {
  const attributes = attributesOf(entry);
  const longname =
    entry.longname === undefined ? longnameOf(name, attributes) : byteString(entry.longname);
  return { name, longname, attributes };
}

function node(type: Node['type'], options: VirtualEntryOptions): Node {
  return {
    mtimeMs: Date.UTC(2026, 0, 15, 2, 30),
    mode: MODE[type] | (type === 'folder' ? 0o755 : 0o644),
    ...options,
    type,
    content: contentOf(''),
    target: '',
  };
}

function attributesOf({ claimedSize, content, mode, mtimeMs }: Node): Attributes {
  const size = claimedSize ?? content.size;
  return { mode, mtime: Math.floor(mtimeMs / 1000), ...(size === 'none' ? {} : { size }) };
}

function opened(file: Node): ServedFile {
  return {
    stat: async () => attributesOf(file),
    read: async (offset, length) => {
      const { content } = file;
      const end = Math.min(offset + length, content.size);
      return offset >= end ? new Uint8Array() : content.read(offset, end - offset);
    },
    write: async (offset, bytes) => {
      const old = Buffer.from(file.content.read(0, file.content.size));
      const grown = Buffer.alloc(Math.max(old.length, offset + bytes.length));
      old.copy(grown);
      grown.set(bytes, offset);
      file.content = contentOf(grown);
    },
    close: async () => {},
  };
}

function absolute(path: string): string {
  return posix.resolve('/', path);
}
