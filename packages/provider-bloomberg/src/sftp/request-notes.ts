/** What this instance has asked for and what of it was delivered, in files that outlive the process. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyncToDisk } from '@octo/plugin-api';

/** A request file on its way. */
export interface RequestNote {
  /** SHA-256 of the request file, hexadecimal. */
  readonly sha256: string;
  /** `asking` between the decision and the server's word that it has the file. */
  readonly state: 'asking' | 'asked';
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

/** Which version of a reply was delivered. */
export interface DeliveredNote {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * A request costs money, so it is noted before it is sent, and each file is written whole or not at all. One file for each
 * name: nobody has to read what another process writes.
 */
export class RequestNotes {
  readonly #folder: string;
  readonly #account: string;
  readonly #sync: SyncToDisk;

  /**
   * @param folder exists and belongs to this instance alone
   * @param account whose requests these are: another account knows nothing of them
   */
  constructor(folder: string, account: string, sync: SyncToDisk) {
    this.#folder = folder;
    this.#account = account;
    this.#sync = sync;
  }

  async request(reply: string): Promise<RequestNote | undefined> {
    return (await this.#read('asked', reply)) as RequestNote | undefined;
  }

  async noteRequest(reply: string, note: RequestNote): Promise<void> {
    await this.#write('asked', reply, note);
  }

  async delivered(path: string): Promise<DeliveredNote | undefined> {
    return (await this.#read('delivered', path)) as DeliveredNote | undefined;
  }

  async noteDelivered(path: string, { size, mtimeMs }: DeliveredNote): Promise<void> {
    await this.#write('delivered', path, { size, mtimeMs });
  }

  /**
   * Forgets deliveries of replies that Bloomberg does not keep any more. Requests stay: a name without a date is asked for
   * once in its life.
   */
  async forget(nowMs: number): Promise<void> {
    const folder = join(this.#folder, 'delivered');
    const names = await readdir(folder).catch(emptyWhenMissing);
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const note = (await parsed(join(folder, name))) as DeliveredNote | undefined;
      if (note !== undefined && nowMs - note.mtimeMs > KEPT_MS)
        await rm(join(folder, name), { force: true });
    }
  }

  async #read(kind: string, name: string): Promise<unknown> {
    return await parsed(this.#path(kind, name));
  }

  async #write(kind: string, name: string, note: object): Promise<void> {
    await mkdir(join(this.#folder, kind), { recursive: true, mode: 0o700 });
    const path = this.#path(kind, name);
    const unfinished = `${path}.${process.pid}.part`;
    await writeFile(unfinished, `${JSON.stringify({ name, ...note })}\n`, { mode: 0o600 });
    await this.#sync(unfinished);
    await rename(unfinished, path);
    await this.#sync(join(this.#folder, kind));
  }

  /** Names are the vendor's: only their hash becomes part of a path. */
  #path(kind: string, name: string): string {
    const hash = createHash('sha256')
      .update(`${this.#account}\n${name}`)
      .digest('hex')
      .slice(0, 32);
    return join(this.#folder, kind, `${hash}.json`);
  }
}

/** Replies lie there for about thirty days. */
const KEPT_MS = 90 * 86_400_000;

async function parsed(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function emptyWhenMissing(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
