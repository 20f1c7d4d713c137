import { join } from 'node:path';
import {
  CLOCK,
  type Kind,
  type Kinds,
  LOGGER,
  RATE_LIMIT,
  STATE_FOLDER,
  SYNC_TO_DISK,
} from '@octo/plugin-api';
import { type Issue, OctoError } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { childLogger } from '../observe/child-logger.ts';
import { describeError } from '../observe/describe-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { Services } from './container.ts';
import type { HostOptions } from './host.ts';
import { contractProblem, LivingInstance } from './instance.ts';
import type { LoadedInstance } from './load-instances.ts';
import { rateLimit } from './rate-limit.ts';
import { syncToDisk } from './system-sync.ts';

export interface BuiltInstances {
  readonly instances: ReadonlyMap<string, LivingInstance>;
  readonly issues: readonly Issue[];
}

type BuildOptions = Pick<
  HostOptions,
  'logger' | 'clock' | 'stateFolder' | 'syncToDisk' | 'pace'
> & {
  readonly redact: (text: string) => string;
};

/** Calls `create` of every plugin with its configuration and the services that it wants. */
export function buildInstances(
  manifest: Manifest,
  loaded: ReadonlyMap<string, LoadedInstance>,
  options: BuildOptions,
): BuiltInstances {
  const instances = new Map<string, LivingInstance>();
  const issues: Issue[] = [];
  for (const [id, one] of loaded) {
    const stateFolder = join(options.stateFolder, 'instances', id);
    try {
      const plugin = createPlugin(manifest, one, stateFolder, options);
      const wanted = Object.values(one.definition.inject).map((token) => token.id);
      const folder = wanted.includes(STATE_FOLDER.id) ? stateFolder : undefined;
      instances.set(id, new LivingInstance(one, plugin, folder, options.clock));
    } catch (error) {
      const code = error instanceof OctoError ? error.code : 'OCTO_PLUGIN_CREATE';
      issues.push(manifest.source.remark(code, pointerTo('/plugins', id), describeError(error)));
    }
  }
  return { instances, issues };
}

function createPlugin(
  manifest: Manifest,
  { config, definition }: LoadedInstance,
  stateFolder: string,
  { logger: parent, clock, redact, ...options }: BuildOptions,
): Kinds[Kind] {
  const use = `'${escapeText(config.use)}'`;
  const logger = childLogger(parent, { instance: config.id }, redact);
  const services = new Services()
    .register(LOGGER, logger)
    .register(CLOCK, clock)
    .register(STATE_FOLDER, stateFolder)
    .register(SYNC_TO_DISK, options.syncToDisk ?? syncToDisk)
    .register(RATE_LIMIT, rateLimit(config, clock, options.pace));
  const given = services.give(use, definition.inject);
  const context = {
    ...given,
    id: config.id,
    config: config.config,
    logger,
    baseFolder: manifest.folder,
  };
  // The plugin's own types of `config` and services; schema and tokens have just promised them.
  const made: unknown = definition.create(context as never);
  const problem = contractProblem(definition.kind, made);
  if (problem !== undefined) throw new OctoError('OCTO_PLUGIN_CREATE', `${use} ${problem}`);
  return made as Kinds[Kind];
}
