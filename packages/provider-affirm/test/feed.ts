import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Provider, RemoteFile, Session } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { AffirmProvider } from '../src/affirm-provider.ts';
import type { AffirmConfig } from '../src/config-schema.ts';
import type { Folder } from '../src/folder/folder.ts';
import { localFolder } from '../src/folder/local-folder.ts';
import { SETTLEMENT_NAMES } from '../src/file-pattern.ts';

/** A vendor's folder for tests, with the manners of one who publishes: files appear whole, under a time of their own. */
export class LocalFeed implements AsyncDisposable {
  readonly logger = new RecordingLogger();
  readonly base: string;
  readonly folder: Folder;

  private constructor(base: string) {
    this.base = base;
    this.folder = localFolder(base);
  }

  static async open(): Promise<LocalFeed> {
    const base = await mkdtemp(join(tmpdir(), 'octo-affirm-'));
    await mkdir(join(base, 'drop'));
    return new LocalFeed(base);
  }

  provider(config: Partial<AffirmConfig> = {}): Provider {
    return affirm({ directory: './drop', ...config }, this.base, this.logger);
  }

  async connect(config: Partial<AffirmConfig> = {}): Promise<Session> {
    return await this.provider(config).connect(never());
  }

  async put(name: string, content: string, mtimeMs = Date.UTC(2026, 0, 15)): Promise<void> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.tmp`, content);
    await utimes(`${path}.tmp`, mtimeMs / 1000, mtimeMs / 1000);
    await rename(`${path}.tmp`, path);
  }

  async link(name: string, target: string): Promise<void> {
    await symlink(target, this.path(name));
  }

  async names(folder = '.'): Promise<readonly string[]> {
    return (await readdir(this.path(folder))).toSorted();
  }

  async text(name: string): Promise<string> {
    return await readFile(this.path(name), 'utf8');
  }

  path(name: string): string {
    return join(this.base, 'drop', name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.base, { recursive: true, force: true });
  }
}

/** The provider, with what the schema's defaults would add. */
export function affirm(
  config: Partial<AffirmConfig>,
  baseFolder = tmpdir(),
  logger = new RecordingLogger(),
): Provider {
  const defaults: AffirmConfig = {
    port: 22,
    legacyAlgorithms: false,
    remoteDir: '.',
    pattern: SETTLEMENT_NAMES,
    settleMs: 60_000,
    afterCommit: 'leave',
  };
  const clock = new ManualClock();
  return new AffirmProvider({ config: { ...defaults, ...config }, logger, clock, baseFolder });
}

export async function listed(session: Session): Promise<readonly RemoteFile[]> {
  const files = await Array.fromAsync(session.list(never()));
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

export async function only(session: Session): Promise<RemoteFile> {
  const files = await listed(session);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`${files.length} files, not one`);
  return file;
}

export async function textOf(session: Session, file: RemoteFile, offset = 0): Promise<string> {
  const chunks = await Array.fromAsync(session.read(file, { offset }, never()));
  return Buffer.concat(chunks).toString();
}

export function never(): AbortSignal {
  return new AbortController().signal;
}
