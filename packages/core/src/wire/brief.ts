import type { Kind, PluginDefinition } from '@octo/plugin-api';
import type { Issue } from '../errors/octo-error.ts';
import type { Access } from '../manifest/check-value.ts';
import type { Excerpt } from '../manifest/excerpt.ts';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { sentError, type SentError } from './sent-error.ts';
import { anything, count, fields, flag, list, oneOf, optional, type Shape, text } from './shape.ts';

/** What is said between a host and its workers changed in a way that the other side has to know. */
export const WIRE_VERSION = 1;

/** What a worker is to be. Goes from the host to the worker, so it is believed. */
export interface WorkerBrief {
  readonly excerpt: Excerpt;
  /** The file of each plugin, by what the manifest calls it: a worker may not look for it. */
  readonly entries: ReadonlyMap<string, string>;
  /** Absolute; see `HostOptions`. */
  readonly stateFolder: string;
  readonly spoolFolder: string;
  readonly disposeDeadlineMs: number;
}

/** How an instance came up. */
export interface OpenedInstance {
  readonly id: string;
  readonly offers: {
    readonly health: boolean;
    readonly diagnose: boolean;
    readonly get: boolean;
    readonly head: boolean;
  };
  /** Of a sink that started: the place as resolved. */
  readonly place?: string;
  /** Why it did not start; missing when it did. */
  readonly failure?: SentError;
}

/** A definition without its code. */
export type PluginDescription = Omit<PluginDefinition, 'create' | 'inject' | '$octo' | 'contract'>;

/** What loading and building the instances of one plugin showed, and what the schemas say of their configurations. */
export interface Inspected {
  readonly instances: readonly InspectedInstance[];
  readonly issues: readonly Issue[];
}

export interface InspectedInstance {
  readonly id: string;
  readonly description: PluginDescription;
  /** Pointers into the manifest of what the schema marks secret. */
  readonly secrets: readonly string[];
  readonly paths: readonly InspectedPath[];
}

/** A path in a configuration that the plugin opens by itself. */
export interface InspectedPath {
  readonly pointer: string;
  readonly path: string;
  readonly access: Access;
}

const kind = oneOf<Kind>('provider', 'sink', 'secrets');
const errorCode = oneOf(...(Object.keys(errorCatalogue) as ErrorCode[]));
const issues = list(
  fields({ code: errorCode, message: text, pointer: optional(text), where: optional(text) }),
  10_000,
);
const pointers = list(text, 10_000);

const no: Shape<false | undefined> = (value) => (value === false ? false : undefined);

/** What a worker may answer to `describe`. */
export const description = fields({
  name: text,
  kind,
  summary: optional(text),
  network: optional(no),
  configSchema: anything as Shape<PluginDescription['configSchema']>,
}) as Shape<PluginDescription>;

/** What a worker may answer to `inspect`. */
export const inspected: Shape<Inspected> = fields({
  instances: list(
    fields({
      id: text,
      description,
      secrets: pointers,
      paths: list(
        fields({ pointer: text, path: text, access: oneOf('read', 'write', 'create') }),
        1000,
      ),
    }),
    10_000,
  ),
  issues,
});

/** What a worker may answer to `inspect-steps`. */
export const inspectedSteps = fields({ secrets: pointers, issues });

/** What a worker may answer to `open`. */
export const openedInstances: Shape<readonly OpenedInstance[]> = list(
  fields({
    id: text,
    offers: fields({ health: flag, diagnose: flag, get: flag, head: flag }),
    place: optional(text),
    failure: optional(sentError),
  }),
  10_000,
);

/** What a worker says first. */
export const hello = fields({ version: count, pid: count });
