import {
  isPluginError,
  type Clock,
  type ObjectToStage,
  type PluginError,
  type Sink,
  type Staged,
} from '@octo/plugin-api';
import {
  ManualClock,
  RecordingLogger,
  startS3,
  type S3Options,
  type S3Simulator,
} from '@octo/plugin-testing';
import { onTestFinished } from 'vitest';
import definition from '../src/index.ts';
import { ImpatientClock } from './impatient-clock.ts';
import type { S3SinkConfig } from '../src/config-schema.ts';
import type { S3Sink } from '../src/s3-sink.ts';

export const BUCKET = 'octo-lake';
export const MIB = 1024 ** 2;

/** A signal that is never aborted. */
export const quiet: AbortSignal = new AbortController().signal;

/** A simulator with one bucket that goes away with the test. */
export async function simulator(options: S3Options = {}): Promise<S3Simulator> {
  const s3 = await startS3({ buckets: [BUCKET], ...options });
  onTestFinished(() => s3[Symbol.asyncDispose]());
  return s3;
}

/** A configuration as the host would hand it over: with its defaults. */
export function configFor(
  s3: Pick<S3Simulator, 'endpoint' | 'region' | 'credentials'>,
  change: Partial<S3SinkConfig> = {},
): S3SinkConfig {
  return {
    bucket: BUCKET,
    region: s3.region,
    endpoint: s3.endpoint,
    prefix: 'in/lake',
    credentials: s3.credentials,
    checksums: 'crc64nvme',
    partBytes: 5 * MIB,
    concurrency: 4,
    completeGraceMs: 600_000,
    timeouts: {
      connectMs: 5000,
      idleMs: 30_000,
      requestMs: 60_000,
      partMs: 900_000,
      completeMs: 300_000,
    },
    ...change,
  };
}

export interface OpenedSink {
  readonly sink: S3Sink;
  readonly logger: RecordingLogger;
  readonly clock: ImpatientClock;
}

/** A sink made by the plugin itself and started, that is disposed with the test. */
export async function openSink(
  s3: Pick<S3Simulator, 'endpoint' | 'region' | 'credentials'>,
  change: Partial<S3SinkConfig> = {},
): Promise<OpenedSink> {
  const clock = new ImpatientClock();
  const logger = new RecordingLogger();
  const sink = sinkOf(configFor(s3, change), clock, logger);
  onTestFinished(() => sink[Symbol.asyncDispose]());
  await sink.start(quiet);
  return { sink, logger, clock };
}

/** Stages these bytes in one upload, in chunks of 1 MiB. Released with the test. */
export async function staged(
  sink: Sink,
  key: string,
  bytes: Uint8Array,
  more: Partial<ObjectToStage> = {},
): Promise<Staged> {
  const upload = await sink.stage({ key, metadata: { 'octo-delivery': key }, ...more }, quiet);
  onTestFinished(async () => await upload[Symbol.asyncDispose]());
  for (let at = 0; at < bytes.length; at += MIB)
    await upload.write(bytes.slice(at, at + MIB), quiet);
  return upload;
}

/** The PluginError that work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<PluginError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPluginError(error)) throw new Error('expected a PluginError', { cause: error });
  return error;
}

export function sinkOf(
  config: S3SinkConfig,
  clock: Clock = new ManualClock(),
  logger: RecordingLogger = new RecordingLogger(),
): S3Sink {
  const create = definition.create as (context: object) => Sink;
  return create({ id: 'lake', config, clock, logger, baseFolder: '/' }) as S3Sink;
}

/** Deterministic bytes without a short period. */
export function sample(bytes: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}
