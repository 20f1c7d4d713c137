import { isPluginError, type Logger, PluginError } from '@octo/plugin-api';
import type { ApiClient } from './api-client.ts';
import { membersOf, objectOf } from './collection.ts';
import { differenceOf } from './difference.ts';
import { type ResponseEntry, responseEntry } from './response-entry.ts';
import type { Body } from './stored-bodies.ts';

/** What a listing of responses may be narrowed by. */
export interface ResponseFilter {
  readonly requestIdentifier?: string;
  readonly prefix?: string;
}

/** One catalogue: what is stored in it, and what was delivered into it. */
export class Catalog {
  readonly identifier: string;
  readonly #client: ApiClient;
  readonly #logger: Logger;

  constructor(identifier: string, client: ApiClient, logger: Logger) {
    this.identifier = identifier;
    this.#client = client;
    this.#logger = logger;
  }

  get client(): ApiClient {
    return this.#client;
  }

  /** The address of something stored: `requests`, `octoEod` → `…/catalogs/1234/requests/octoEod/`. */
  urlOf(collection: string, identifier = ''): string {
    const path = `catalogs/${encodeURIComponent(this.identifier)}/${collection}/`;
    return this.#client.url(identifier === '' ? path : `${path}${encodeURIComponent(identifier)}/`)
      .href;
  }

  pathOf(key: string): string {
    const encoded = key.split('/').map(encodeURIComponent).join('/');
    return `catalogs/${encodeURIComponent(this.identifier)}/content/responses/${encoded}`;
  }

  /** The delivered responses; nothing delivered yet is an empty answer. */
  async *responses(
    filter: ResponseFilter,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseEntry, void, undefined> {
    const path = `catalogs/${encodeURIComponent(this.identifier)}/content/responses/`;
    const query = { ...filter, limit: `${PAGE}` };
    for await (const member of membersOf(this.#client, path, query, signal))
      yield responseEntry(member);
  }

  /** Something stored as it is now; undefined when there is nothing of this identifier. */
  async stored(
    collection: string,
    identifier: string,
    signal: AbortSignal,
  ): Promise<Body | undefined> {
    const path = this.urlOf(collection, identifier);
    return objectOf(await this.#client.json({ path, accept: [404] }, signal));
  }

  /**
   * Sees to it that something is stored as the configuration says, whoever stored it: looked for first, made when it is
   * missing, and looked for again when somebody else was faster.
   * @param changeable whether what differs may be changed; a request never is
   * @throws PluginError `validation` with code `STORED_DIFFERS` when it is there and says something else
   */
  async ensure(
    collection: string,
    body: Body,
    changeable: boolean,
    signal: AbortSignal,
  ): Promise<'found' | 'made' | 'changed'> {
    const identifier = String(body['identifier']);
    const found = await this.stored(collection, identifier, signal);
    if (found === undefined && (await this.#make(collection, body, signal))) return 'made';
    const stored = found ?? (await this.stored(collection, identifier, signal)) ?? {};
    const whole = await this.#withParts(collection, body, stored, signal);
    const difference = differenceOf(withoutWords(body), whole);
    if (difference === undefined) return 'found';
    if (!changeable) throw differs(collection, identifier, difference);
    await this.#change(collection, identifier, body, signal);
    this.#logger.info({ collection, identifier, difference }, 'changed what is stored');
    return 'changed';
  }

  /** Ends a recurring request. One that is not there, or has ended, is fine. */
  async disable(identifier: string, signal: AbortSignal): Promise<void> {
    const found = await this.stored('requests', identifier, signal);
    if (found === undefined || found['enabled'] === false) return;
    await this.#change('requests', identifier, { enabled: false }, signal);
    this.#logger.info({ identifier }, 'request disabled');
  }

  /**
   * Views show the address of a part where the part was given whole, and long lists in pages; what is to be compared is
   * fetched.
   */
  async #withParts(
    collection: string,
    wanted: Body,
    stored: Body,
    signal: AbortSignal,
  ): Promise<Body> {
    const own = this.urlOf(collection, String(wanted['identifier']));
    const whole: { [name: string]: unknown } = await this.#unpaged(own, wanted, stored, signal);
    for (const part of PARTS) {
      const wantedPart = objectOf(wanted[part]);
      if (wantedPart === undefined || typeof stored[part] !== 'string') continue;
      const path = `${own}${part}/`;
      const view = objectOf(await this.#client.json({ path, accept: [404] }, signal));
      whole[part] = view && (await this.#unpaged(path, wantedPart, view, signal));
    }
    return whole;
  }

  /** The view with all that it contains; with its first page only when it is of another length than wanted anyway. */
  async #unpaged(
    path: string,
    wanted: Body,
    view: Body,
    signal: AbortSignal,
  ): Promise<{ [name: string]: unknown }> {
    const { contains, totalItems } = view;
    const { contains: members } = wanted;
    const mayBeSame = Array.isArray(members) && totalItems === members.length;
    if (!mayBeSame || !Array.isArray(contains) || contains.length === members.length)
      return { ...view };
    const pages = membersOf(this.#client, path, { pageSize: `${PAGE}` }, signal);
    return { ...view, contains: await Array.fromAsync(pages) };
  }

  async #change(
    collection: string,
    identifier: string,
    body: Body,
    signal: AbortSignal,
  ): Promise<void> {
    const path = this.urlOf(collection, identifier);
    await using _answer = await this.#client.send({ method: 'PATCH', path, body }, signal);
  }

  /** Answers false when it was there already. */
  async #make(collection: string, body: Body, signal: AbortSignal): Promise<boolean> {
    try {
      const path = this.urlOf(collection);
      await using _answer = await this.#client.send({ method: 'POST', path, body }, signal);
      this.#logger.info({ collection, identifier: body['identifier'] }, 'stored at the vendor');
      return true;
    } catch (error) {
      if (isPluginError(error) && error.code === 'ALREADY_THERE') return false;
      throw error;
    }
  }
}

/** What only people read is no reason to refuse. */
function withoutWords({ title: _title, description: _description, ...rest }: Body): Body {
  return rest;
}

const PARTS = ['universe', 'fieldList', 'trigger'];

/** Entries of one page; the most that the API gives. */
const PAGE = 1000;

function differs(collection: string, identifier: string, difference: string): PluginError {
  return new PluginError(
    'validation',
    `Bloomberg has '${identifier}' among the ${collection} already, with another ${difference}; choose another ` +
      'identifier, or make config say what is there',
    { code: 'STORED_DIFFERS' },
  );
}
