import { posix } from 'node:path';
import {
  type Clock,
  type DeliveredFile,
  type Diagnosis,
  type Logger,
  PluginError,
  type Provider,
  type RemoteFile,
} from '@octo/plugin-api';
import { Archive, type MoveExperience, PRIVATE_ARCHIVE } from './archive.ts';
import { checkConfig, type Place } from './check-config.ts';
import type { AffirmConfig } from './config-schema.ts';
import { reconcile } from './content/reconcile.ts';
import { FilePattern } from './file-pattern.ts';
import { type Folder, joined } from './folder/folder.ts';
import { localFolder } from './folder/local-folder.ts';
import { diagnoseServer, serverFolder } from './folder/server-folder.ts';
import { SettlementSession } from './settlement-session.ts';

/** Affirm's settlement files, from an SFTP server or from a local folder into which they are pushed. */
export class AffirmProvider implements Provider {
  readonly settleMs: number;
  readonly #options: AffirmProviderOptions;
  readonly #place: Place;
  readonly #pattern: FilePattern;
  readonly #moves: MoveExperience = {};

  /** @throws PluginError `validation` */
  constructor(options: AffirmProviderOptions) {
    this.#options = options;
    this.#place = checkConfig(options.config);
    this.#pattern = new FilePattern(options.config.pattern);
    this.settleMs = options.config.settleMs;
    this.#archivePath();
  }

  async connect(signal: AbortSignal): Promise<SettlementSession> {
    const folder = await this.#open(signal);
    const path = this.#archivePath();
    const { config, logger } = this.#options;
    const thenDelete = config.afterCommit === 'delete';
    const archive =
      path === undefined
        ? {}
        : { archive: new Archive({ folder, path, thenDelete, logger, moves: this.#moves }) };
    return new SettlementSession({
      folder,
      inbox: this.#inbox,
      pattern: this.#pattern,
      ...archive,
    });
  }

  reconcile(files: readonly DeliveredFile[]): readonly string[] {
    return reconcile(files);
  }

  /** Logs in, looks into the folder, and leaves. */
  async health(signal: AbortSignal): Promise<void> {
    await using session = await this.connect(signal);
    await session.expectListable(signal);
  }

  async *diagnose(signal: AbortSignal): AsyncGenerator<Diagnosis> {
    if (!('directory' in this.#place)) {
      const { clock, logger } = this.#options;
      for await (const step of diagnoseServer(
        this.#place,
        { clock, logger },
        this.#inbox,
        signal,
      )) {
        yield step;
        if (step.outcome === 'failed') return;
      }
    }
    yield await this.#diagnoseFiles(signal);
  }

  get #inbox(): string {
    const path = 'directory' in this.#place ? this.#place.directory : this.#place.remoteDir;
    return tidy(path);
  }

  async #open(signal: AbortSignal): Promise<Folder> {
    signal.throwIfAborted();
    const { baseFolder, clock, logger } = this.#options;
    return 'directory' in this.#place
      ? localFolder(baseFolder)
      : await serverFolder(this.#place, { clock, logger }, signal);
  }

  #archivePath(): string | undefined {
    const { afterCommit } = this.#options.config;
    if (afterCommit === 'leave') return undefined;
    const folder = afterCommit === 'delete' ? PRIVATE_ARCHIVE : afterCommit.moveTo;
    const path = tidy(joined(this.#inbox, folder));
    if (path !== this.#inbox) return path;
    throw new PluginError(
      'validation',
      `config/afterCommit/moveTo is the folder of the files itself; name another one, such as 'archive'`,
      { code: 'BAD_CONFIG' },
    );
  }

  async #diagnoseFiles(signal: AbortSignal): Promise<Diagnosis> {
    const step = 'settlement files';
    try {
      await using session = await this.connect(signal);
      const files = await Array.fromAsync(session.list(signal));
      return { step, ...described(files) };
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'unknown error';
      const remedy = `check ${'directory' in this.#place ? 'directory' : 'remoteDir'}, and what this user may read there`;
      return { step, outcome: 'failed', detail, remedy, error };
    }
  }
}

export interface AffirmProviderOptions {
  readonly config: AffirmConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What `directory` is relative to. */
  readonly baseFolder: string;
}

function described(files: readonly RemoteFile[]): Omit<Diagnosis, 'step'> {
  const refused = files.filter((file) => file.refused !== undefined).length;
  const detail = `${files.length - refused} ready${refused === 0 ? '' : `, ${refused} that must not be opened`}`;
  if (files.length > 0) return { outcome: 'passed', detail };
  return {
    outcome: 'warned',
    detail: 'no file matches the pattern',
    remedy:
      'normal before the first settlement; otherwise compare config/pattern with the names there',
  };
}

/** `./drop/` → `drop`. */
function tidy(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/+$/, '');
}
