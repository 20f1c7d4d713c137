import { createHmac, randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@octo/plugin-api';
import type { Manifest } from '../manifest/manifest.ts';
import { type Mark, type Marks, type Outline, outlineOf } from '../manifest/outline.ts';
import { describeError } from '../observe/describe-error.ts';

/**
 * What a running host serves, for the command `plan`. The note holds names and keyed hashes; the key lies in a file of
 * its own and is new with every start, so that nothing can be guessed from the note alone.
 */
export interface Served {
  readonly pid: number;
  readonly outline: Outline;
  /** Makes marks that can be compared with those of the outline. */
  readonly mark: Mark;
}

const NOTE = 'generation.json';
const KEY = 'generation.key';

/** Keeps the note of this host, until it is disposed. A state folder that cannot be written harms nobody but `plan`. */
export class ServedNote implements AsyncDisposable {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #key = randomBytes(32);
  #written: Promise<void>;

  constructor(stateFolder: string, logger: Logger) {
    this.#folder = stateFolder;
    this.#logger = logger;
    this.#written = this.#write(KEY, this.#key.toString('base64url'));
  }

  /** Notes what is served from now on. Never rejects. */
  update(manifest: Manifest): Promise<void> {
    const { folder, plugins, pipelines } = outlineOf(manifest, markWith(this.#key));
    const note: Note = {
      version: 1,
      pid: process.pid,
      folder,
      plugins: plain(plugins),
      pipelines: plain(pipelines),
    };
    this.#written = this.#written.then(() => this.#write(NOTE, `${JSON.stringify(note)}\n`));
    return this.#written;
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    try {
      await writeFile(`${path}.${process.pid}`, text, { mode: 0o600 });
      await rename(`${path}.${process.pid}`, path);
    } catch (error) {
      const fields = { file: path, reason: describeError(error) };
      this.#logger.warn(
        fields,
        'what is served was not noted; octo-host plan cannot compare with it',
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#written;
    for (const name of [NOTE, KEY]) await rm(join(this.#folder, name), { force: true });
  }
}

/** What was noted in a state folder, by whoever runs there or was killed there; `undefined` when there is nothing. */
export async function readServed(stateFolder: string): Promise<Served | undefined> {
  try {
    const key = Buffer.from(await readFile(join(stateFolder, KEY), 'utf8'), 'base64url');
    const note = JSON.parse(await readFile(join(stateFolder, NOTE), 'utf8')) as Note;
    if (note.version !== 1) return undefined;
    const { pid, folder, plugins, pipelines } = note;
    const outline = { folder, plugins: outlined(plugins), pipelines: outlined(pipelines) };
    return { pid, outline, mark: markWith(key) };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return undefined;
    throw error;
  }
}

type PlainMarks = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Note {
  readonly version: 1;
  readonly pid: number;
  readonly folder: string;
  readonly plugins: PlainMarks;
  readonly pipelines: PlainMarks;
}

/** The place is part of what is hashed: equal secrets of two plugins do not look equal. */
function markWith(key: Buffer): Mark {
  return (value, place) =>
    createHmac('sha256', key).update(`${place}\n${value}`).digest('base64url').slice(0, 22);
}

function plain(marks: ReadonlyMap<string, Marks>): PlainMarks {
  return Object.fromEntries([...marks].map(([id, places]) => [id, Object.fromEntries(places)]));
}

function outlined(marks: PlainMarks): Map<string, Marks> {
  return new Map(
    Object.entries(marks).map(([id, places]) => [id, new Map(Object.entries(places))]),
  );
}
