/** The body of a new request: which parts its type has, each given whole or by the address of a stored one. */
import type { AskedSecurity } from './asked-security.ts';
import { identifierPattern } from './component-schemas.ts';
import { badBody, checkedComponent, detailOf, type Component } from './component-check.ts';
import { COMPONENT_TYPES, type ComponentKind } from './stored-components.ts';
import type { RestDesk } from './rest-desk.ts';

/** A part of a request as it was given, and what it stands for. */
export interface RequestPart {
  /** The path of the stored one; `undefined` when it was given whole. */
  readonly path?: string;
  readonly component: Component;
}

export interface CheckedRequest {
  readonly type: RequestType;
  /** Absent when the server is to make one. */
  readonly asIdentifier?: string;
  /** `DL_REQUEST_NAME`. */
  readonly name?: string;
  readonly body: { readonly [name: string]: unknown };
  readonly universe: RequestPart;
  /** Absent in an ActionsRequest. */
  readonly fieldList?: RequestPart;
  readonly trigger: RequestPart;
}

export type RequestType = 'ActionsRequest' | 'DataRequest' | 'HistoryRequest';

type Body = { readonly [name: string]: unknown };

/** @throws RestRefusal 400, which points at what is wrong */
export function checkedRequest(body: Body, desk: RestDesk): CheckedRequest {
  const type = typeOf(body);
  requireKnownMembers(body, type);
  const asIdentifier = wordIn(body, 'identifier', identifierPattern);
  const name = wordIn(body, 'name', NAME);
  if (desk.strict && body['name'] === undefined && body['title'] === undefined) {
    throw badBody([detailOf('/title', 'A request needs a title or a name.')]);
  }
  for (const [name, types] of Object.entries(OPTIONS[type])) {
    if (body[name] !== undefined) checkedComponent(body[name], types, `/${name}`);
  }
  if (type === 'HistoryRequest' && body['runtimeOptions'] === undefined) {
    throw badBody([detailOf('/runtimeOptions', 'A history needs its dates.')]);
  }
  const partOf = (name: string, kind: ComponentKind, types = COMPONENT_TYPES[kind]) =>
    partIn(body, name, { desk, kind, types });
  const fieldTypes = FIELD_LISTS[type];
  const trigger = partOf('trigger', 'triggers');
  if (desk.strict) requireFuture(trigger, desk.now());
  return {
    type,
    ...(asIdentifier !== undefined && { asIdentifier }),
    ...(name !== undefined && { name }),
    body,
    universe: partOf('universe', 'universes'),
    ...(fieldTypes !== undefined && { fieldList: partOf('fieldList', 'fieldLists', fieldTypes) }),
    trigger,
  };
}

/** The securities of a universe. */
export function securitiesIn({ component }: RequestPart): AskedSecurity[] {
  const contains = component['contains'] as readonly UniverseMember[];
  return contains.map(({ fieldOverrides = [], identifierType, identifierValue }) => ({
    value: identifierValue,
    type: identifierType,
    overrides: fieldOverrides.map(({ mnemonic, override }) => ({
      field: mnemonic,
      value: String(override),
    })),
  }));
}

/** What the schema of a universe has made sure of. */
interface UniverseMember {
  readonly identifierType: string;
  readonly identifierValue: string;
  readonly fieldOverrides?: readonly { readonly mnemonic: string; readonly override: unknown }[];
}

/** The fields of a list, by mnemonic or clean name. */
export function fieldsIn(part: RequestPart | undefined): string[] {
  const contains = (part?.component['contains'] ?? []) as readonly { [name: string]: string }[];
  return contains.map(({ cleanName, mnemonic }) => mnemonic ?? cleanName ?? '');
}

const FIELD_LISTS: { readonly [type in RequestType]: readonly string[] | undefined } = {
  ActionsRequest: undefined,
  DataRequest: ['DataFieldList'],
  HistoryRequest: ['HistoryFieldList'],
};

/** Beside the parts: what may be said, and by which `@type`. */
const OPTIONS: { readonly [type in RequestType]: { readonly [name: string]: readonly string[] } } =
  {
    ActionsRequest: {
      formatting: ['ActionsFormat', 'MediaType'],
      runtimeOptions: ['ActionsRuntimeOptions'],
      terminalIdentity: ['BbaTerminalIdentity', 'BlpTerminalIdentity'],
    },
    DataRequest: {
      formatting: ['DataFormat', 'MediaType'],
      pricingSourceOptions: ['DataPricingSourceOptions'],
      terminalIdentity: ['BbaTerminalIdentity', 'BlpTerminalIdentity'],
    },
    HistoryRequest: {
      formatting: ['HistoryFormat', 'MediaType'],
      pricingSourceOptions: ['HistoryPricingSourceOptions'],
      runtimeOptions: ['HistoryRuntimeOptions'],
      terminalIdentity: ['BbaTerminalIdentity', 'BlpTerminalIdentity'],
    },
  };

const MEMBERS_OF_ALL = [
  '@context',
  '@type',
  'description',
  'identifier',
  'name',
  'title',
  'trigger',
  'universe',
];

/** Types that Bloomberg has and this simulator does not. */
const OTHER_TYPES = new Set([
  'BvalSnapshotRequest',
  'EntityRequest',
  'PricingSnapshotRequest',
  'TickHistoryRequest',
]);

function typeOf(body: Body): RequestType {
  const type = String(body['@type']);
  if (Object.hasOwn(OPTIONS, type)) return type as RequestType;
  const detail = OTHER_TYPES.has(type)
    ? `This simulator does not answer a ${type}.`
    : `Must be ${Object.keys(OPTIONS).join(' or ')}.`;
  throw badBody([detailOf('/@type', detail)]);
}

function requireKnownMembers(body: Body, type: RequestType): void {
  const own = type === 'ActionsRequest' ? 'actionsFilter' : 'fieldList';
  const known = [...MEMBERS_OF_ALL, ...Object.keys(OPTIONS[type]), own];
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw badBody(unknown.map((name) => detailOf(`/${name}`, `A ${type} has no ${name}.`)));
}

function wordIn(body: Body, name: string, pattern: string): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && new RegExp(pattern).test(value)) return value;
  throw badBody([detailOf(`/${name}`, `Must match ${pattern}.`)]);
}

/** A name need not be unique, and is not part of an address. */
const NAME = '^[A-Za-z0-9]{1,64}$';

/** What recurs cannot begin on a day that is over; what runs once then runs at once. */
function requireFuture({ component }: RequestPart, nowMs: number): void {
  const { frequency, startDate } = component;
  if (frequency === undefined || frequency === 'once' || startDate === undefined) return;
  const today = new Date(nowMs).toISOString().slice(0, 10);
  if (startDate >= today) return;
  throw badBody([detailOf('/trigger/startDate', 'This day has passed.')]);
}

interface PartPlace {
  readonly desk: RestDesk;
  readonly kind: ComponentKind;
  readonly types: readonly string[];
}

function partIn(body: Body, name: string, { desk, kind, types }: PartPlace): RequestPart {
  const value = body[name];
  if (typeof value !== 'string') return { component: checkedComponent(value, types, `/${name}`) };
  const found = storedAt(value, kind, desk);
  if (found === undefined) throw badBody([detailOf(`/${name}`, `Nothing is stored at ${value}.`)]);
  if (!types.includes(found.component['@type'])) {
    throw badBody([detailOf(`/${name}`, `Must be ${types.join(' or ')}.`)]);
  }
  return found;
}

/** An address may be whole or begin at the host, with or without its last slash. */
function storedAt(address: string, kind: ComponentKind, desk: RestDesk): RequestPart | undefined {
  const path = URL.canParse(address) ? new URL(address).pathname : address;
  const matched = /^\/eap\/catalogs\/([^/]+)\/([^/]+)\/([^/]+)\/?$/.exec(path);
  const [, catalogue = '', segment, identifier = ''] = matched ?? [];
  if (segment !== kind) return undefined;
  if (kind === 'triggers' && PREBUILT.has(identifier)) {
    const isReachable = catalogue === 'bbg' || catalogue === desk.account;
    return isReachable ? { path, component: { '@type': 'SubmitTrigger' } } : undefined;
  }
  if (catalogue !== desk.account) return undefined;
  const stored = desk.shelves[kind].get(identifier);
  return stored && { path: desk.shelves[kind].pathOf(identifier), component: stored.body };
}

/** Bloomberg's own triggers, all of which run a request as soon as it is there. */
export const PREBUILT = new Set(['executeNow', 'oneshot', 'prodDataStreamTrigger']);
