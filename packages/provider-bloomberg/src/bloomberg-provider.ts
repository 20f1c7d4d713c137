import type { Clock, Diagnosis, Logger, Provider, Session, SyncToDisk } from '@octo/plugin-api';
import { restAccess, sftpAccess } from './check-config.ts';
import type { BloombergConfig } from './config-schema.ts';
import { RestTransport } from './rest/rest-transport.ts';
import { SftpTransport } from './sftp/sftp-transport.ts';

/** Replies of Bloomberg Data License, by the way that the configuration names. */
export class BloombergProvider implements Provider {
  readonly #transport: RestTransport | SftpTransport;

  /** @throws PluginError `validation` */
  constructor({ clock, config, logger, stateFolder, sync }: BloombergProviderOptions) {
    this.#transport =
      config.transport === 'rest'
        ? new RestTransport({ ...restAccess(config), config, clock, logger })
        : new SftpTransport({
            access: sftpAccess(config),
            config,
            stateFolder,
            sync,
            clock,
            logger,
          });
  }

  get settleMs(): number {
    return this.#transport.settleMs;
  }

  /** Sees to it that everything configured was asked for, and opens a session. */
  connect(signal: AbortSignal): Promise<Session> {
    return this.#transport.connect(signal);
  }

  health(signal: AbortSignal): Promise<void> {
    return this.#transport.health(signal);
  }

  diagnose(signal: AbortSignal): AsyncIterable<Diagnosis> {
    return this.#transport.diagnose(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

export interface BloombergProviderOptions {
  readonly config: BloombergConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stateFolder: string;
  readonly sync: SyncToDisk;
}
