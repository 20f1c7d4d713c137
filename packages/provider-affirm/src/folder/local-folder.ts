import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PluginError, type PluginErrorType } from '@octo/plugin-api';
import { joined, type Entry, type Folder, type Version } from './folder.ts';

/** A folder on this machine, into which somebody else puts files. Paths are relative to `baseFolder`, or absolute. */
export function localFolder(baseFolder: string): Folder {
  const at = (path: string, signal: AbortSignal) => {
    signal.throwIfAborted();
    return resolve(baseFolder, path);
  };
  return {
    list: (path, signal) => list(path, resolve(baseFolder, path), signal),
    stat: async (path, signal) => {
      const found = await lstatOf(at(path, signal));
      return found?.isFile() === true ? { path, ...sizeAndTime(found) } : undefined;
    },
    read: (file, offset, signal) => read(resolve(baseFolder, file.path), offset, signal),
    rename: async (from, to, signal) =>
      await renameWithoutReplacing(at(from, signal), at(to, signal)),
    remove: async (path, signal) => {
      const absolute = at(path, signal);
      await asked('remove', absolute, () => rm(absolute, { force: true }));
    },
    makeFolder: async (path, signal) => {
      const absolute = at(path, signal);
      await asked('make', absolute, () => mkdir(absolute, { recursive: true, mode: 0o700 }));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

const CHUNK_BYTES = 256 * 1024;

async function* list(folder: string, absolute: string, signal: AbortSignal): AsyncGenerator<Entry> {
  signal.throwIfAborted();
  // As bytes: a name that is not UTF-8 has to be told from one that is.
  const names = await asked('list', absolute, () => readdir(absolute, { encoding: 'buffer' }));
  for (const bytes of names) {
    signal.throwIfAborted();
    const found = await lstatOf(Buffer.concat([Buffer.from(`${absolute}/`), bytes]));
    if (found === undefined || found.isDirectory()) continue;
    const name = bytes.toString();
    const refused = Buffer.from(name).equals(bytes) ? refusal(name, found) : UNREADABLE;
    const entry = { name, path: joined(folder, name), ...sizeAndTime(found) };
    yield refused === undefined ? entry : { ...entry, refused };
  }
}

const UNREADABLE = 'UNREADABLE_NAME: the name is not valid UTF-8; rename the file';

function refusal(name: string, found: Stats): string | undefined {
  if (/\p{Cc}/u.test(name))
    return 'UNSAFE_NAME: the name contains control characters; rename the file';
  if (found.isSymbolicLink())
    return 'NOT_A_FILE: it is a symbolic link; links are not followed, put the file itself there';
  if (!found.isFile()) return 'NOT_A_FILE: it is not a regular file';
  return undefined;
}

function sizeAndTime(found: Stats): Omit<Version, 'path'> {
  return { size: found.size, mtimeMs: Math.floor(found.mtimeMs) };
}

async function* read(
  path: string,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  // Between listing and opening the file may have become a link or a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await asked('open', path, () => open(path, flags));
  let next: Promise<Uint8Array> | undefined;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw failure('not_found', 'open', path, 'it is not a regular file');
    next = readChunk(file, path, offset);
    for (let position = offset; ;) {
      signal.throwIfAborted();
      const chunk = await next;
      if (chunk.length === 0) return;
      position += chunk.length;
      // While the consumer is busy with this one.
      next = readChunk(file, path, position);
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    await next?.catch(() => {});
    await file.close();
  }
}

async function readChunk(file: FileHandle, path: string, position: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const { bytesRead } = await asked('read', path, () => file.read(chunk, 0, CHUNK_BYTES, position));
  return chunk.subarray(0, bytesRead);
}

/**
 * rename(2) replaces its target, so look first. Names in the archive belong to one delivery each: what could come
 * between is this same move, done by another process, and both would have moved the same file.
 */
async function renameWithoutReplacing(from: string, to: string) {
  if ((await lstatOf(to)) !== undefined) return 'exists';
  try {
    await rename(from, to);
    return 'moved';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'absent';
    throw classified(error, 'move', from);
  }
}

async function lstatOf(path: string | Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw classified(error, 'look at', path.toString());
  }
}

async function asked<T>(verb: string, path: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw classified(error, verb, path);
  }
}

const TYPES: { readonly [code: string]: PluginErrorType } = {
  ENOENT: 'not_found',
  // What O_NOFOLLOW says of a symbolic link.
  ELOOP: 'not_found',
  ENOTDIR: 'validation',
  ENAMETOOLONG: 'validation',
  EXDEV: 'validation',
  EACCES: 'auth',
  EPERM: 'auth',
  EROFS: 'auth',
};

function classified(error: unknown, verb: string, path: string): PluginError {
  const code = codeOf(error) ?? 'unknown error';
  return failure(TYPES[code] ?? 'provider_down', verb, path, code, error);
}

function failure(
  type: PluginErrorType,
  verb: string,
  path: string,
  why: string,
  cause?: unknown,
): PluginError {
  const shown = JSON.stringify(path);
  return new PluginError(type, `cannot ${verb} ${shown}: ${why}`, { cause });
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
