import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  isPluginError,
  type Decoding,
  type Inspection,
  type PluginError,
  type Tabulation,
} from '@octo/plugin-api';
import { ManualClock } from '@octo/plugin-testing';
import { expect, onTestFinished } from 'vitest';
import type { Content, Limits, Step, StepContext } from '../../../src/pipeline/step.ts';
import { stepKinds } from '../../../src/pipeline/steps/index.ts';
import { validateOptions } from './validate-options.ts';

export interface Outcome {
  readonly contents: readonly {
    readonly name: string;
    readonly member: string | undefined;
    readonly bytes: Buffer;
  }[];
  readonly facts: { readonly [name: string]: unknown };
  readonly warnings: readonly string[];
}

export interface RunOptions {
  readonly name?: string;
  readonly limits?: Partial<Limits>;
  readonly inspection?: Inspection;
  readonly decoding?: Decoding;
  readonly tabulation?: Tabulation;
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal;
  /** Default: 2026-02-01. */
  readonly nowMs?: number;
}

/** A step as the host makes it: options checked against the schema, defaults applied. */
export async function makeStep(kindName: string, options: object = {}): Promise<Step> {
  const kind = stepKinds.find(({ name }) => name === kindName);
  if (kind === undefined) throw new Error(`no step ${kindName}`);
  return kind.create(validateOptions(kind.optionsSchema, options) as never);
}

/** Runs `bytes` through the step and collects everything that comes out; the spool folder must be empty afterwards. */
export async function runStep(
  step: Step,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: RunOptions = {},
): Promise<Outcome> {
  const { context, facts, warnings } = await makeContext(options);
  const source =
    bytes instanceof Uint8Array ? inChunks(bytes, options.chunkBytes ?? 64 * 1024) : bytes;
  try {
    const results = step.run({ name: options.name ?? 'file', bytes: source }, context);
    return { contents: await collect(results), facts, warnings };
  } finally {
    expect(await readdir(context.spoolFolder)).toEqual([]);
  }
}

async function collect(results: AsyncIterable<Content>): Promise<Outcome['contents']> {
  const contents = [];
  for await (const { name, member, bytes } of results) {
    contents.push({ name, member, bytes: Buffer.concat(await Array.fromAsync(bytes)) });
  }
  return contents;
}

/** The PluginError that running `bytes` through the step ends with. */
export async function refusal(
  step: Step,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: RunOptions = {},
): Promise<PluginError> {
  const outcome = await runStep(step, bytes, options).catch((error: unknown) => error);
  if (isPluginError(outcome)) return outcome;
  throw new Error('expected a PluginError', { cause: outcome });
}

export async function makeContext(options: RunOptions = {}) {
  const spoolFolder = await mkdtemp(join(tmpdir(), 'octo-steps-'));
  onTestFinished(() => rm(spoolFolder, { recursive: true }));
  const facts: { [name: string]: unknown } = {};
  const warnings: string[] = [];
  const clock = new ManualClock(options.nowMs ?? Date.UTC(2026, 1, 1));
  const context: StepContext = {
    limits: { maxBytes: 1e9, maxRatio: 1000, maxMembers: 100, ...options.limits },
    clock,
    signal: options.signal ?? new AbortController().signal,
    spoolFolder,
    inspect: () => options.inspection,
    decode: () => options.decoding,
    normalise: () => options.tabulation,
    warn: (message) => void warnings.push(message),
    remember: (more) => void Object.assign(facts, more),
  };
  return { context, clock, facts, warnings };
}

export async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield Uint8Array.from(bytes.subarray(at, at + chunkBytes));
  }
}

/** A source that says whether it was let go, for tests of `break`. */
export function watchedSource(bytes: Uint8Array, chunkBytes = 64 * 1024) {
  const watched = { released: false, source: stream() };
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* inChunks(bytes, chunkBytes);
    } finally {
      watched.released = true;
    }
  }
  return watched;
}
