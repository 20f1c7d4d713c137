/** What the loopback SFTP server serves: a real folder or a tree in memory. Paths are byte strings, absolute. */
import { STATUS, type Attributes, type ListedName } from './sftp-wire.ts';

export interface ServedFiles {
  /** @param flags as in `OPEN_FLAGS` */
  open(path: string, flags: number): Promise<ServedFile>;
  stat(path: string): Promise<Attributes>;
  lstat(path: string): Promise<Attributes>;
  list(path: string): Promise<Iterator<ListedName>>;
  /** Fails when the target exists. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

export interface ServedFile {
  stat(): Promise<Attributes>;
  /** Up to `length` bytes; empty at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** An answer of the SFTP server that is not OK. */
export class SftpStatus extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'SftpStatus';
    this.status = status;
  }
}

export function noSuchFile(): SftpStatus {
  return new SftpStatus(STATUS.noSuchFile, 'No such file');
}

/** As `ls -l` would write it; the client must not believe it. */
export function longnameOf(name: string, { mode = 0, size = 0 }: Attributes): string {
  return `${TYPE_LETTERS[mode & MODE.mask] ?? '?'}rw-r--r--    1 vendor   vendor   ${size} Jan  1 00:00 ${name}`;
}

/** The file type bits of a mode. */
export const MODE = {
  mask: 0o170000,
  fifo: 0o010000,
  folder: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
};

const TYPE_LETTERS: { readonly [type: number]: string } = {
  [MODE.fifo]: 'p',
  [MODE.folder]: 'd',
  [MODE.file]: '-',
  [MODE.symlink]: 'l',
};
