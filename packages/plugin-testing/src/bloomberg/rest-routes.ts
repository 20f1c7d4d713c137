/** Which endpoint answers a call. */
import {
  catalogue,
  catalogues,
  prebuiltTrigger,
  prebuiltTriggers,
  serviceDocument,
} from './catalogues.ts';
import { eventStream, oneResponse, responses } from './content-endpoints.ts';
import { PREBUILT } from './request-check.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import type { RestDesk } from './rest-desk.ts';
import { RestRefusal } from './rest-refusal.ts';
import type { ComponentKind } from './stored-components.ts';

/** As whom a call was let in. */
export interface Admission {
  /** When the access token ends; `undefined` with a token of its own. */
  readonly untilMs?: number;
}

/** @throws RestRefusal 404 for a path that nobody knows, 405 for a verb that it does not have */
export async function answerFrom(
  call: RestCall,
  desk: RestDesk,
  admission: Admission,
): Promise<RestAnswer> {
  const path = call.path.replace(/^\/eap(?=\/)/, '');
  const matching = ROUTES.filter(({ pattern }) => pattern.test(path));
  if (matching.length === 0) throw new RestRefusal(404, 'Nothing is known here.');
  const route = matching.find(({ verbs }) => verbs.includes(call.method));
  if (route === undefined) throw new RestRefusal(405, `${call.method} is not allowed here.`);
  const names = (route.pattern.exec(path) ?? []).slice(1).map(decoded);
  return route.endpoint({ call, desk, admission, names });
}

export interface Visit {
  readonly call: RestCall;
  readonly desk: RestDesk;
  readonly admission: Admission;
  /** What stands where the pattern has an asterisk. */
  readonly names: readonly string[];
}

type Endpoint = (visit: Visit) => RestAnswer | Promise<RestAnswer>;

interface Route {
  readonly verbs: readonly string[];
  readonly pattern: RegExp;
  readonly endpoint: Endpoint;
}

/** @param pattern `*` stands for one segment, `**` for the rest; clients are free to leave out the last slash */
function route(verbs: string, pattern: string, endpoint: Endpoint): Route {
  const source = pattern.replaceAll('**', '(.+)').replaceAll(/(?<!\.)\*/g, '([^/]+)');
  const free = source.replace(/(?<=.)\/$/, '/?');
  return { verbs: verbs.split(' '), pattern: new RegExp(`^${free}$`), endpoint };
}

/** An endpoint of the account's own catalogue, whose identifier is the first name. */
function own(endpoint: Endpoint): Endpoint {
  return (visit) => {
    const [name] = visit.names;
    if (name === 'bbg') throw new RestRefusal(403, 'The catalogue bbg belongs to Bloomberg.');
    if (name !== visit.desk.account) throw new RestRefusal(404, 'There is no such catalogue.');
    return endpoint({ ...visit, names: visit.names.slice(1) });
  };
}

/** An endpoint of any catalogue; what it is told begins with the second name. */
function any(endpoint: Endpoint): Endpoint {
  return (visit) => {
    const [name = ''] = visit.names;
    if (!['bbg', visit.desk.account].includes(name)) {
      throw new RestRefusal(404, 'There is no such catalogue.');
    }
    return endpoint({ ...visit, names: visit.names.slice(1) });
  };
}

function shelfRoutes(kind: ComponentKind): Route[] {
  const base = `/catalogs/*/${kind}/`;
  return [
    route(
      'GET',
      base,
      own(({ call, desk }) => desk.shelves[kind].list(call)),
    ),
    route(
      'POST',
      base,
      own(({ call, desk }) => desk.shelves[kind].create(call)),
    ),
    route(
      'GET',
      `${base}*/`,
      own(({ call, desk, names: [id = ''] }) => desk.shelves[kind].one(id, call)),
    ),
    route(
      'PATCH',
      `${base}*/`,
      own(({ call, desk, names: [id = ''] }) => desk.shelves[kind].change(id, call)),
    ),
    route(
      'DELETE',
      `${base}*/`,
      own(({ desk, names: [id = ''] }) => desk.shelves[kind].remove(id)),
    ),
  ];
}

function requestRoutes(): Route[] {
  const base = '/catalogs/*/requests/';
  const partRoute = (name: 'fieldList' | 'trigger' | 'universe') =>
    route(
      'GET',
      `${base}*/${name}/`,
      own(({ call, desk, names: [id = ''] }) => desk.requests.part(id, name, call)),
    );
  return [
    route(
      'GET',
      base,
      own(({ call, desk }) => desk.requests.list(call)),
    ),
    route(
      'POST',
      base,
      own(({ call, desk }) => desk.requests.create(call, desk)),
    ),
    route(
      'GET',
      `${base}*/`,
      own(({ desk, names: [id = ''] }) => desk.requests.one(id)),
    ),
    route(
      'PATCH',
      `${base}*/`,
      own(({ call, desk, names: [id = ''] }) => desk.requests.change(id, call, desk.now())),
    ),
    partRoute('universe'),
    partRoute('fieldList'),
    partRoute('trigger'),
  ];
}

function datasetRoutes(): Route[] {
  const base = '/catalogs/bbg/datasets/';
  const snapshot = `${base}*/snapshots/*/`;
  return [
    route('GET', base, ({ call, desk }) => desk.datasets.list(call)),
    route('GET', `${base}*/`, ({ desk, names: [name = ''] }) => desk.datasets.one(name)),
    route('GET', `${base}*/snapshots/`, ({ call, desk, names: [name = ''] }) =>
      desk.datasets.snapshots(name, call),
    ),
    route('GET', snapshot, ({ call, desk, names: [name = '', day = ''] }) =>
      desk.datasets.snapshot(call, name, day),
    ),
    route('GET', `${snapshot}distributions/`, ({ call, desk, names: [name = '', day = ''] }) =>
      desk.datasets.distributions(call, name, day),
    ),
    route(
      'GET HEAD',
      `${snapshot}distributions/*`,
      ({ call, desk, names: [name = '', day = '', file = ''] }) =>
        desk.datasets.distribution(call, [name, day, file], desk.faults),
    ),
  ];
}

const ROUTES: readonly Route[] = [
  route('GET', '/', () => serviceDocument()),
  route('GET', '/catalogs/', ({ call, desk }) => catalogues(call, desk.account)),
  route('GET', '/catalogs/*/', ({ desk, names: [name = ''] }) => catalogue(name, desk.account)),
  route('GET', '/catalogs/bbg/triggers/', ({ call }) => prebuiltTriggers(call)),
  route('GET', `/catalogs/*/triggers/(?:${[...PREBUILT].join('|')})/`, any(prebuiltTrigger)),
  ...shelfRoutes('universes'),
  ...shelfRoutes('fieldLists'),
  ...shelfRoutes('triggers'),
  ...requestRoutes(),
  ...datasetRoutes(),
  route('GET', '/catalogs/*/content/responses/', own(responses)),
  route('GET HEAD', '/catalogs/*/content/responses/**', own(oneResponse)),
  route('GET', '/notifications/sse', (visit) => eventStream(visit, 'activity')),
  route('GET', '/notifications/content/responses', (visit) => eventStream(visit, 'delivery')),
];

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RestRefusal(400, 'The path is not percent-encoded.');
  }
}
