import { Client, type ClientConfig } from 'pg';

/** "octo" in ASCII and a number. Everybody who uses the server shares this lock; who stops it has it alone. */
const USE_LOCK = '7310017291338743';

/** Of a server that starts, stops, or is not there. */
const NOT_NOW = new Set([
  '57P03',
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  '57P01',
  '53300',
]);

/**
 * A connection that says "I use this server". The last one out may stop it; nobody else can come in meanwhile, because a
 * newcomer shares the lock before it does anything.
 */
export class Guard {
  readonly #client: Client;

  private constructor(client: Client, onLost: () => void) {
    this.#client = client;
    client.once('end', onLost);
  }

  /** `undefined` when there is no server now, or it is starting or stopping. */
  static async connect(config: ClientConfig, onLost: () => void): Promise<Guard | undefined> {
    const client = new Client({ ...config, application_name: 'octo guard' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const sql = `select pg_try_advisory_lock_shared(${USE_LOCK}) as in_use`;
      const { rows } = await client.query<{ in_use: boolean }>(sql);
      if (rows[0]!.in_use) return new Guard(client, onLost);
    } catch (error) {
      await client.end().catch(() => undefined);
      if (isNotNow(error)) return undefined;
      throw error;
    }
    await client.end();
    return undefined;
  }

  /** Leaves. True when nobody else uses the server: then others are kept out until {@link close}. */
  async isLast(): Promise<boolean> {
    const { rows } = await this.#client.query<{ alone: boolean }>(
      `select pg_advisory_unlock_shared(${USE_LOCK}), pg_try_advisory_lock(${USE_LOCK})
         and not exists (
           select from pg_stat_activity
           where backend_type = 'client backend' and application_name not like 'octo%') as alone`,
    );
    return rows[0]!.alone;
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}

function isNotNow(error: unknown): boolean {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return NOT_NOW.has(code ?? '') || (message ?? '').startsWith('Connection terminated');
}
