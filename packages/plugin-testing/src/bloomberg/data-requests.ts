/** The requests of an account: made once, never changed, disabled for good. */
import { randomBytes } from 'node:crypto';
import { collectionPage } from './collection.ts';
import { badBody, checkedComponent, detailOf } from './component-check.ts';
import { componentView } from './component-view.ts';
import { created } from './created.ts';
import { badQuery } from './query.ts';
import { checkedRequest, type CheckedRequest, type RequestPart } from './request-check.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import { RestRefusal } from './rest-refusal.ts';

export interface StoredRequest extends CheckedRequest {
  universe: RequestPart;
  body: CheckedRequest['body'];
  readonly identifier: string;
  readonly issuedMs: number;
  modifiedMs: number;
  enabled: boolean;
  lastRunMs?: number;
  nextRunMs?: number;
}

export class DataRequests {
  readonly #byIdentifier = new Map<string, StoredRequest>();

  list(call: RestCall): RestAnswer {
    const { query } = call;
    const enabled = query.get('enabled') ?? undefined;
    if (enabled !== undefined && !/^(true|false)$/.test(enabled)) {
      throw badQuery('enabled', 'Must be true or false.');
    }
    const matching = [...this.#byIdentifier.values()].filter((one) =>
      FILTERS.every(([name, valueOf]) => [null, valueOf(one)].includes(query.get(name))),
    );
    const parameters = FILTERS.map(([name]) => name);
    return collectionPage(matching.map(viewOf), call, { type: 'Requests', parameters });
  }

  /** @throws RestRefusal 400 for a wrong body, 409 when the identifier is taken */
  async create(call: RestCall, desk: RestDesk): Promise<RestAnswer> {
    const checked = checkedRequest(await call.json(), desk);
    const identifier = checked.asIdentifier ?? `r${randomBytes(5).toString('hex')}`;
    if (this.#byIdentifier.has(identifier)) {
      throw new RestRefusal(409, `The request ${identifier} already exists.`);
    }
    const nowMs = desk.now();
    const request = { ...checked, identifier, issuedMs: nowMs, modifiedMs: nowMs, enabled: true };
    this.#byIdentifier.set(identifier, request);
    desk.runner.schedule(request);
    const path = `/eap/catalogs/${desk.account}/requests/${identifier}/`;
    return created(path, 'request', identifier);
  }

  one(identifier: string): RestAnswer {
    return { status: 200, body: viewOf(this.#known(identifier)) };
  }

  /** The universe, field list or trigger of a request, as it was given or is stored. */
  part(identifier: string, name: 'fieldList' | 'trigger' | 'universe', call: RestCall): RestAnswer {
    const part: RequestPart | undefined = this.#known(identifier)[name];
    if (part === undefined) throw new RestRefusal(404, `The request has no ${name}.`);
    return componentView(part.component, call);
  }

  /** Title, description, a universe that was given whole, and `enabled: false`, which is final. */
  async change(identifier: string, call: RestCall, nowMs: number): Promise<RestAnswer> {
    const request = this.#known(identifier);
    const body = await call.json();
    for (const name of Object.keys(body)) {
      if (!CHANGEABLE.has(name)) throw badBody([detailOf(`/${name}`, 'This cannot be changed.')]);
    }
    const { '@type': _, enabled, universe, ...words } = body;
    if (enabled !== undefined && enabled !== false) {
      throw badBody([detailOf('/enabled', 'Must be false.')]);
    }
    if (universe !== undefined) request.universe = ownUniverse(request, universe);
    request.body = { ...request.body, ...words };
    request.modifiedMs = nowMs;
    if (enabled === false) {
      request.enabled = false;
      delete request.nextRunMs;
    }
    return { status: 204 };
  }

  /** Whether a request that runs again names the component at this path. One that was disabled never does. */
  uses(path: string): boolean {
    return [...this.#byIdentifier.values()].some(
      ({ fieldList, nextRunMs, trigger, universe }) =>
        nextRunMs !== undefined &&
        [universe, fieldList, trigger].some((part) => part?.path === path),
    );
  }

  #known(identifier: string): StoredRequest {
    const request = this.#byIdentifier.get(identifier);
    if (request === undefined) throw new RestRefusal(404, `There is no request ${identifier}.`);
    return request;
  }
}

const CHANGEABLE = new Set(['@context', '@type', 'description', 'enabled', 'title', 'universe']);

/** @throws RestRefusal 400 when the universe is a stored one, or shall be */
function ownUniverse(request: StoredRequest, universe: unknown): RequestPart {
  if (request.universe.path !== undefined) {
    throw badBody([detailOf('/universe', 'The universe of this request is a stored one.')]);
  }
  return { component: checkedComponent(universe, ['Universe'], '/universe') };
}

/** Empty without a name. */
export function nameOf({ name }: StoredRequest): string {
  return name ?? '';
}

const FILTERS: readonly (readonly [
  name: string,
  valueOf: (one: StoredRequest) => string | null,
])[] = [
  ['name', nameOf],
  ['enabled', ({ enabled }) => String(enabled)],
  ['universeIdentifier', ({ universe }) => identifierOf(universe)],
  ['fieldListIdentifier', ({ fieldList }) => identifierOf(fieldList)],
  ['triggerIdentifier', ({ trigger }) => identifierOf(trigger)],
];

/** No identifier is the empty one: what was given whole is found by none. */
function identifierOf(part: RequestPart | undefined): string {
  return part?.path?.split('/').findLast((segment) => segment !== '') ?? '';
}

function viewOf(request: StoredRequest): object {
  const { body, fieldList, identifier, issuedMs, modifiedMs, trigger, universe } = request;
  const { title, description, name, formatting, runtimeOptions, terminalIdentity } = body;
  const own = { title, description, name, formatting, runtimeOptions, terminalIdentity };
  return {
    '@type': request.type,
    '@id': `${identifier}/`,
    identifier,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    universe: universe.path ?? 'universe/',
    ...(fieldList !== undefined && { fieldList: fieldList.path ?? 'fieldList/' }),
    trigger: trigger.path ?? 'trigger/',
    enabled: request.enabled,
    frequency: trigger.component.frequency ?? 'once',
    issued: new Date(issuedMs).toISOString(),
    modified: new Date(modifiedMs).toISOString(),
    lastRunDateTime: timeText(request.lastRunMs),
    nextRunDateTime: timeText(request.nextRunMs),
  };
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
