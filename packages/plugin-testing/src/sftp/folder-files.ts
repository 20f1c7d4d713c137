/** A real folder, served over SFTP. Symbolic links are followed where the operating system does. */
import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { longnameOf, SftpStatus, type ServedFile, type ServedFiles } from './served-files.ts';
import { OPEN_FLAGS, STATUS, type Attributes, type ListedName } from './sftp-wire.ts';

/** @param root an absolute path; nothing above it is reachable */
export function folderFiles(root: string): ServedFiles {
  // Names go to the operating system as bytes, because the protocol has no encoding.
  const local = (path: string) => Buffer.concat([Buffer.from(root), Buffer.from(path, 'latin1')]);
  return {
    open: (path, flags) => answered(async () => opened(await fs.open(local(path), osFlags(flags)))),
    stat: (path) => answered(async () => attributesOf(await fs.stat(local(path)))),
    lstat: (path) => answered(async () => attributesOf(await fs.lstat(local(path)))),
    list: (path) => answered(async () => (await listing(local(path)))[Symbol.iterator]()),
    rename: (from, to) => answered(() => renamed(local(from), local(to))),
    remove: (path) => answered(() => fs.unlink(local(path))),
    makeFolder: (path) => answered(() => fs.mkdir(local(path))),
  };
}

async function listing(folder: Buffer): Promise<ListedName[]> {
  const listed: ListedName[] = [];
  for (const name of await fs.readdir(folder, { encoding: 'buffer' })) {
    const stats = await fs.lstat(Buffer.concat([folder, Buffer.from('/'), name])).catch(() => {});
    if (stats === undefined) continue;
    const attributes = attributesOf(stats);
    const byteName = name.toString('latin1');
    listed.push({ name: byteName, longname: longnameOf(byteName, attributes), attributes });
  }
  return listed;
}

async function renamed(from: Buffer, to: Buffer): Promise<void> {
  if ((await fs.lstat(from)).isDirectory()) return fs.rename(from, to);
  // As OpenSSH does it: a link fails when the target exists, a rename would replace it.
  await fs.link(from, to);
  await fs.unlink(from);
}

function opened(file: fs.FileHandle): ServedFile {
  return {
    stat: async () => attributesOf(await file.stat()),
    read: async (offset, length) => {
      const buffer = Buffer.allocUnsafe(length);
      return buffer.subarray(0, (await file.read(buffer, 0, length, offset)).bytesRead);
    },
    write: async (offset, bytes) => void (await file.write(bytes, 0, bytes.length, offset)),
    close: () => file.close(),
  };
}

function attributesOf(stats: Stats): Attributes {
  return { size: stats.size, mode: stats.mode, mtime: Math.floor(stats.mtimeMs / 1000) };
}

function osFlags(flags: number): number {
  const writes = (flags & OPEN_FLAGS.write) !== 0;
  const reads = (flags & OPEN_FLAGS.read) !== 0;
  return (
    (writes ? (reads ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY) |
    (flags & OPEN_FLAGS.append ? constants.O_APPEND : 0) |
    (flags & OPEN_FLAGS.create ? constants.O_CREAT : 0) |
    (flags & OPEN_FLAGS.truncate ? constants.O_TRUNC : 0) |
    (flags & OPEN_FLAGS.exclusive ? constants.O_EXCL : 0)
  );
}

async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new SftpStatus(STATUS.noSuchFile, 'No such file');
    if (code === 'EACCES' || code === 'EPERM') {
      throw new SftpStatus(STATUS.permissionDenied, 'Permission denied');
    }
    throw new SftpStatus(STATUS.failure, 'Failure');
  }
}
