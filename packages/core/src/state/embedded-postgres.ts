import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@octo/plugin-api';
import type { ClientConfig } from 'pg';
import { OctoError } from '../errors/octo-error.ts';
import { clientConfig, type DatabasePlace } from '../ledger/postgres/database.ts';
import { explainTrouble, troubleFields } from '../ledger/postgres/database-trouble.ts';
import { postgresBinaries } from './embedded/binaries.ts';
import { CLUSTER_USER, createCluster, readCluster, type Cluster } from './embedded/cluster.ts';
import { Guard } from './embedded/guard.ts';
import { isAlive, postmasterPid, removeStalePid } from './embedded/postmaster.ts';
import { ServerProcess } from './embedded/server-process.ts';
import { socketFolder, type SocketFolder } from './embedded/socket-path.ts';
import { takeFileLock } from './file-lock.ts';
import { stateError } from './state-error.ts';

/** Long enough for the recovery after a crash. */
const START_PATIENCE_MS = 120_000;
const STOP_PATIENCE_MS = 20_000;
const PAUSE_MS = 15;

export interface EmbeddedPostgresOptions {
  /** Private, existing. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A private PostgreSQL from an npm package: on a socket that only the folder's owner reaches, with a password, checksums
 * and real fsync. Whoever comes first starts it, everybody else adopts it — also after its starter was killed — and the
 * last one out stops it.
 */
export class EmbeddedPostgres implements DatabasePlace, AsyncDisposable {
  readonly description: string;
  readonly config: ClientConfig;
  readonly #folder: string;
  readonly #cluster: Cluster;
  readonly #socket: SocketFolder;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #guard: Guard | undefined;
  #reviving: Promise<void> | undefined;
  #disposed = false;

  private constructor(
    cluster: Cluster,
    socket: SocketFolder,
    { folder, clock, logger }: EmbeddedPostgresOptions,
  ) {
    this.#folder = folder;
    this.#cluster = cluster;
    this.#socket = socket;
    this.#clock = clock;
    this.#logger = logger;
    this.description = `the embedded PostgreSQL in ${folder}`;
    this.config = {
      host: socket.path,
      port: 5432,
      user: CLUSTER_USER,
      // As a function it shows nowhere where the configuration does.
      password: () => cluster.password.reveal(),
      database: 'postgres',
      ssl: false,
    };
  }

  /**
   * Starts or adopts the server of a folder.
   * @throws OctoError OCTO_DATABASE_MISSING, OCTO_DATABASE_FAILED, OCTO_STATE_FULL, OCTO_STATE_DENIED
   */
  static async open(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      const folder = await realpath(options.folder);
      const cluster = await clusterOf(folder, options.clock);
      const socket = await socketFolder(cluster.data);
      const server = new EmbeddedPostgres(cluster, socket, { ...options, folder });
      await server.revive();
      return server;
    } catch (error) {
      throw stateError(error, options.folder);
    }
  }

  /** Makes sure that the server runs. */
  async revive(): Promise<void> {
    if (this.#guard !== undefined || this.#disposed) return;
    this.#reviving ??= this.#attach().finally(() => (this.#reviving = undefined));
    await this.#reviving;
  }

  async #attach(): Promise<void> {
    const deadline = this.#clock.monotonic() + START_PATIENCE_MS;
    while (!(await this.#enter())) {
      await this.#startUnlessOtherDoes(deadline);
      await this.#pause(deadline);
    }
  }

  async #enter(): Promise<boolean> {
    try {
      this.#guard ??= await Guard.connect(clientConfig(this.config), () => {
        this.#guard = undefined;
      });
    } catch (error) {
      throw explainTrouble(error, this.description);
    }
    return this.#guard !== undefined;
  }

  /** One process at a time may start the server; the others see it come up. */
  async #startUnlessOtherDoes(deadline: number): Promise<void> {
    await using lock = await takeFileLock(join(this.#folder, 'start.lock'));
    if (lock === undefined) return;
    const pid = await postmasterPid(this.#cluster.data);
    await removeStalePid(this.#cluster.data);
    // It comes up, goes down, or recovers: look again.
    if (pid !== undefined && pid === (await postmasterPid(this.#cluster.data)) && isAlive(pid))
      return;
    const binaries = await postgresBinaries(this.#folder);
    const server = await ServerProcess.start(this.#cluster.data, binaries, this.#folder);
    while (!(await this.#enter())) {
      if (server.hasEnded) throw await server.failure(this.#folder);
      await this.#pause(deadline);
    }
    this.#logger.debug({ pid: server.pid }, 'embedded postgres started');
  }

  async #pause(deadline: number): Promise<void> {
    if (this.#clock.monotonic() > deadline)
      throw new OctoError(
        'OCTO_DATABASE_UNREACHABLE',
        `${this.description} did not come up within ${START_PATIENCE_MS / 1000} s; see ${join(this.#folder, 'log')}`,
      );
    await this.#clock.sleep(PAUSE_MS);
  }

  /** The last one out stops the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#reviving?.catch(() => undefined);
    const guard = this.#guard;
    this.#guard = undefined;
    if (guard !== undefined) await this.#leave(guard);
    await this.#socket[Symbol.asyncDispose]();
  }

  async #leave(guard: Guard): Promise<void> {
    try {
      if (await guard.isLast()) await this.#stop();
    } catch (error) {
      // Somebody will adopt it.
      this.#logger.warn(troubleFields(error), 'embedded postgres could not be stopped');
    } finally {
      await guard.close();
    }
  }

  async #stop(): Promise<void> {
    const pid = await postmasterPid(this.#cluster.data);
    if (pid === undefined) return;
    process.kill(pid, 'SIGINT');
    const deadline = this.#clock.monotonic() + STOP_PATIENCE_MS;
    while ((await postmasterPid(this.#cluster.data)) === pid && this.#clock.monotonic() < deadline)
      await this.#clock.sleep(PAUSE_MS);
  }
}

/** The folder's cluster, made now if there is none. One process makes it; the others wait for that. */
async function clusterOf(folder: string, clock: Clock): Promise<Cluster> {
  for (;;) {
    const found = await readCluster(folder);
    if (found !== undefined) return found;
    await using lock = await takeFileLock(join(folder, 'start.lock'));
    if (lock !== undefined)
      return (
        (await readCluster(folder)) ?? (await createCluster(folder, await postgresBinaries(folder)))
      );
    await clock.sleep(PAUSE_MS);
  }
}
