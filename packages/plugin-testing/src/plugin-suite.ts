import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CLOCK,
  CONTRACT_VERSION,
  isPluginDefinition,
  LOGGER,
  RATE_LIMIT,
  STATE_FOLDER,
  SYNC_TO_DISK,
  type Kind,
  type Kinds,
  type PluginDefinition,
} from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { RecordingLogger } from './recording-logger.ts';
import { configCheck, schemaFaults } from './schema-faults.ts';
import { syncToDisk } from './sync-to-disk.ts';

export interface PluginSuiteOptions {
  /** Services that the plugin asks for beyond those of `@octo/plugin-api`, by token id. */
  readonly services?: { readonly [tokenId: string]: unknown };
}

const VERBS = {
  provider: ['connect'],
  sink: ['stage', 'abort', 'head'],
  secrets: ['get'],
} as const;

/**
 * Holds a plugin's definition to what every host relies on, whatever its kind: brand, schema, examples, and a `create` that
 * touches nothing. The schema must have at least one example; each is used to create an instance.
 */
export function pluginSuite(definition: PluginDefinition, options: PluginSuiteOptions = {}): void {
  describe(`the definition of plugin '${definition.name}'`, () => {
    test('is frozen, branded and of this contract', () => {
      expect(isPluginDefinition(definition)).toBe(true);
      expect(Object.isFrozen(definition)).toBe(true);
      expect(definition.contract).toBe(CONTRACT_VERSION);
    });

    test('has a short lower-case name and a kind', () => {
      expect(definition.name).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
      expect(Object.keys(VERBS)).toContain(definition.kind);
    });

    test('has a schema that is plain JSON and refuses unknown properties at every level', () => {
      const { configSchema } = definition;
      expect(schemaFaults(configSchema)).toEqual([]);
      expect(JSON.parse(JSON.stringify(configSchema))).toEqual(configSchema);
    });

    test('has examples that satisfy the schema, with nothing left over', () => {
      const check = configCheck(definition.configSchema);
      const examples = examplesOf(definition);
      expect(examples.length).toBeGreaterThan(0);
      expect(examples.flatMap((example) => check(example))).toEqual([]);
      expect(check({ ...(examples[0] as object), 'no-such-setting': 1 })).not.toEqual([]);
    });

    test('creates an instance of its kind from every example, at once and without I/O', async () => {
      await using room = await Room.open(definition, options);
      for (const example of examplesOf(definition)) {
        const resources = process.getActiveResourcesInfo().toSorted();
        const instance = room.create(example) as unknown as { readonly [verb: string]: unknown };
        expect(process.getActiveResourcesInfo().toSorted()).toEqual(resources);
        for (const verb of VERBS[definition.kind]) expect(instance[verb]).toBeTypeOf('function');
        expect(instance).not.toHaveProperty('then');
      }
      expect(room.clock.pending).toBe(0);
      expect(await room.files()).toEqual([]);
    });

    test('creates instances that can be disposed at once, and twice', async () => {
      await using room = await Room.open(definition, options);
      for (const example of examplesOf(definition)) {
        const instance = room.create(example);
        await instance[Symbol.asyncDispose]?.();
        await instance[Symbol.asyncDispose]?.();
      }
      expect(await room.files()).toEqual([]);
    });
  });
}

/** Copies: a check fills defaults in. */
function examplesOf(definition: PluginDefinition): unknown[] {
  return structuredClone([...(definition.configSchema.examples ?? [])]);
}

/** An empty folder of a manifest, with the services that a host offers. */
class Room implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly #folder: string;
  readonly #definition: PluginDefinition;
  readonly #services: { readonly [tokenId: string]: unknown };

  private constructor(folder: string, definition: PluginDefinition, options: PluginSuiteOptions) {
    this.#folder = folder;
    this.#definition = definition;
    this.#services = {
      [CLOCK.id]: this.clock,
      [LOGGER.id]: new RecordingLogger(),
      [RATE_LIMIT.id]: { take: async () => {} },
      [STATE_FOLDER.id]: join(folder, 'state'),
      [SYNC_TO_DISK.id]: syncToDisk,
      ...options.services,
    };
  }

  static async open(definition: PluginDefinition, options: PluginSuiteOptions): Promise<Room> {
    const folder = await mkdtemp(join(tmpdir(), 'octo-plugin-'));
    await mkdir(join(folder, 'state'));
    return new Room(folder, definition, options);
  }

  create(example: unknown): Kinds[Kind] {
    const config = structuredClone(example);
    configCheck(this.#definition.configSchema)(config);
    const services = Object.entries(this.#definition.inject).map(([name, { id }]) => {
      if (!(id in this.#services)) throw new Error(`give the suite a service for token '${id}'`);
      return [name, this.#services[id]];
    });
    const context = {
      id: 'under-test',
      config: Object.freeze(config),
      logger: new RecordingLogger(),
      baseFolder: this.#folder,
      ...Object.fromEntries(services),
    };
    return this.#definition.create(context as never);
  }

  /** What is in the folder besides the empty folder for state. */
  async files(): Promise<string[]> {
    const names = await readdir(this.#folder, { recursive: true });
    return names.filter((name) => name !== 'state');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
