import { type Clock, type Diagnosis, isPluginError, type Logger } from '@octo/plugin-api';
import type { BloombergConfig } from '../config-schema.ts';
import { type Credential, daysLeft, expectValid, WARN_DAYS } from '../credential.ts';
import { DatedName } from '../dated-name.ts';
import { Throttle } from '../throttle.ts';
import { ApiClient } from './api-client.ts';
import { AskedRequest } from './asked.ts';
import { SignedRequests } from './authorization.ts';
import { Catalog } from './catalog.ts';
import { ClientCredentials } from './client-credentials.ts';
import { diagnoseRest } from './diagnose-rest.ts';
import { Exchange } from './exchange.ts';
import { findCatalog } from './find-catalog.ts';
import { Notices } from './notices.ts';
import { RestSession } from './rest-session.ts';
import { ServerClock } from './server-clock.ts';
import { fieldListBody, requestBody, triggerBody, universeBody } from './stored-bodies.ts';

/** Bloomberg's REST API: what an instance keeps between its sessions, and how a session begins. */
export class RestTransport implements AsyncDisposable {
  /** The API names complete files only. */
  readonly settleMs = 0;
  readonly #options: RestTransportOptions;
  readonly #exchange: Exchange;
  readonly #client: ApiClient;
  readonly #asked: readonly AskedRequest[];
  readonly #ensured = new Set<string>();
  #catalog: Catalog | undefined;

  constructor(options: RestTransportOptions) {
    this.#options = options;
    const { clock, config, logger } = options;
    const { burst, requestsPerSecond: perSecond } = config;
    this.#exchange = new Exchange({ clock });
    this.#client = new ApiClient({
      endpoint: options.endpoint,
      authorization: this.#authorization(),
      throttle: new Throttle({ clock, perSecond, burst }),
      exchange: this.#exchange,
      clock,
      logger,
    });
    this.#asked = (config.requests ?? []).map(
      (request) => new AskedRequest(request, new DatedName(request.identifier, config.timezone)),
    );
  }

  async connect(signal: AbortSignal): Promise<RestSession> {
    signal.throwIfAborted();
    this.#warnOfEnd();
    const { clock, config, logger } = this.#options;
    const { pollMs, prefix, waitMs } = config;
    const catalog = await this.#own(signal);
    // The stream has to be open before anything is asked for, or its answer could be missed.
    await using opened = new AsyncDisposableStack();
    const notices = opened.use(await this.#notices(signal));
    const awaited = await this.#ensure(catalog, signal);
    opened.move();
    return new RestSession({
      catalog,
      asked: this.#asked,
      awaited,
      prefix,
      waitMs,
      pollMs,
      notices,
      clock,
      logger,
    });
  }

  /** Asks for the catalogues: the credential is good, the service is there. */
  async health(signal: AbortSignal): Promise<void> {
    await findCatalog(this.#client, this.#options.config.catalog, signal);
  }

  diagnose(signal: AbortSignal): AsyncIterable<Diagnosis> {
    const { clock, config, credential, endpoint } = this.#options;
    return diagnoseRest(
      {
        credential,
        endpoint,
        clock,
        client: this.#client,
        asked: this.#asked,
        prefix: config.prefix,
        catalog: async () => await this.#own(signal),
      },
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchange[Symbol.asyncDispose]();
  }

  #authorization(): SignedRequests | ClientCredentials {
    const { clock, config, credential, endpoint, tokenUrl } = this.#options;
    if (config.auth === 'jwt')
      return new SignedRequests({ credential, clock, serverClock: new ServerClock(clock) });
    const exchange = this.#exchange;
    return new ClientCredentials({
      credential,
      tokenUrl,
      origin: endpoint.origin,
      exchange,
      clock,
    });
  }

  async #own(signal: AbortSignal): Promise<Catalog> {
    const { config, logger } = this.#options;
    this.#catalog ??= new Catalog(
      await findCatalog(this.#client, config.catalog, signal),
      this.#client,
      logger,
    );
    return this.#catalog;
  }

  async #notices(signal: AbortSignal): Promise<Notices | undefined> {
    const { config, logger } = this.#options;
    if (config.waitMs === 0 || config.notifications !== 'sse' || this.#asked.length === 0)
      return undefined;
    try {
      return await Notices.open(this.#client, logger, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isPluginError(error) || error.type === 'auth') throw error;
      logger.warn({ error: error.message }, 'no notifications, looking from time to time instead');
      return undefined;
    }
  }

  /**
   * What the requests refer to comes first. What was seen to be there is not asked about again. Answers the identifiers of
   * the requests of this moment that Bloomberg will answer.
   */
  async #ensure(catalog: Catalog, signal: AbortSignal): Promise<string[]> {
    const { clock, config } = this.#options;
    const nowMs = clock.now();
    const stored = [
      ...(config.universes ?? []).map((one) => ['universes', universeBody(one)] as const),
      ...(config.fieldLists ?? []).map((one) => ['fieldLists', fieldListBody(one)] as const),
      ...(config.triggers ?? []).map((one) => ['triggers', triggerBody(one)] as const),
    ];
    for (const [collection, body] of stored)
      await this.#once(`${collection}/${String(body['identifier'])}`, () =>
        catalog.ensure(collection, body, true, signal),
      );
    for (const { config: request, name } of this.#asked) {
      const identifier = name.at(nowMs);
      await this.#once(`requests/${identifier}`, async () => {
        if (!request.enabled) return await catalog.disable(identifier, signal);
        const body = requestBody(request, identifier, (...what) => catalog.urlOf(...what));
        await catalog.ensure('requests', body, false, signal);
      });
    }
    return this.#asked
      .filter(({ config: request }) => request.enabled)
      .map(({ name }) => name.at(nowMs));
  }

  async #once(what: string, ensure: () => Promise<unknown>): Promise<void> {
    if (this.#ensured.has(what)) return;
    await ensure();
    this.#ensured.add(what);
  }

  /** @throws PluginError `auth` with code `CREDENTIAL_EXPIRED` */
  #warnOfEnd(): void {
    const { clock, credential, logger } = this.#options;
    expectValid(credential, clock.now());
    const days = daysLeft(credential, clock.now());
    if (days !== undefined && days < WARN_DAYS)
      logger.warn(
        { days, clientId: credential.clientId },
        'the credential expires soon, make a new one at console.bloomberg.com',
      );
  }
}

export interface RestTransportOptions {
  readonly config: BloombergConfig;
  readonly credential: Credential;
  /** With a slash at its end. */
  readonly endpoint: URL;
  readonly tokenUrl: URL;
  readonly clock: Clock;
  readonly logger: Logger;
}
