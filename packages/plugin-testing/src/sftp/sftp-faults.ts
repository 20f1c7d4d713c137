/** What the loopback SFTP server does wrong. All of it can be switched while the server runs. */
export interface SftpOperation {
  /** As in the protocol: `OPEN`, `READ`, `READDIR`, … */
  readonly name: string;
  /** Decoded as UTF-8; of a READ, CLOSE, READDIR or FSTAT the path that was opened. */
  readonly path: string;
  /** The target of a RENAME. */
  readonly to?: string;
  /** Of a READ or WRITE. */
  readonly offset?: number;
  readonly length?: number;
}

export interface SftpFaults {
  /** Right after the TCP connection: close it, reset it, or say nothing for ever. */
  greeting?: 'close' | 'reset' | 'silence';
  /** New connections are shown another host key. */
  impostor?: boolean;
  /** Every login is refused. */
  refuseLogin?: boolean;
  /** The login succeeds, the SFTP subsystem is refused. */
  refuseSftp?: boolean;
  /** The connection ends just before this byte of any file would be sent. `times` defaults to always. */
  dropAt?: { readonly byte: number; readonly how: 'close' | 'reset'; times?: number };
  /** A read that reaches this byte is never answered, nor is any later one; the connection lives on. */
  stallAt?: { readonly byte: number; times?: number };
  /** Each read is answered with so few bytes, so late. */
  trickle?: { readonly bytes: number; readonly everyMs: number };
  /** Reads are answered with fewer bytes than asked: at most so many, or a random number. */
  shortReads?: number | 'random';
  /** Reads at or after this offset are answered with end-of-file, whatever STAT claims. */
  endAt?: number;
  /** Reads at or after this offset are answered with no bytes, in place of bytes or end-of-file. */
  emptyAt?: number;
  /** So many bytes more than asked in every reply to a read. */
  overlong?: number;
  /** Replies to reads come in another order than the requests. */
  shuffled?: boolean;
  /** With more reads unanswered than this, further ones fail. */
  mostOutstandingReads?: number;
  /** With more questions for names (READDIR) unanswered than this, further ones fail. */
  mostOutstandingListings?: number;
  /** Answers for an operation with this status code (`STATUS`) in place of the true answer. */
  refuse?: (operation: SftpOperation) => number | undefined;
  /** Operations by these names are never answered. */
  unanswered?: readonly string[];
  /** Operations by these names are answered with a packet that cannot be parsed. */
  malformed?: readonly string[];
  /** A RENAME replaces the target, as some servers do. */
  renameReplaces?: boolean;
  /** When the client says goodbye, its connection is reset (as OpenSSH on Windows does). */
  resetOnEnd?: boolean;
  /** Runs before an operation is answered: change the files here to have it happen at that very moment. */
  before?: (operation: SftpOperation) => void | Promise<void>;
}
