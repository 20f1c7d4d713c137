/** Sessions with the loopback server, and what closes all of it after each test. */
import { setTimeout as pause } from 'node:timers/promises';
import { isPluginError, type Clock, type PluginError } from '@octo/plugin-api';
import {
  RecordingLogger,
  startSftp,
  type SftpServer,
  type StartSftpOptions,
} from '@octo/plugin-testing';
import { onTestFinished, vi } from 'vitest';
import { connectSftp, type SftpOptions, type SftpSession } from '../src/index.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    pause(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    }),
};

/** Resolves as soon as it holds. */
export function until(holds: () => boolean): Promise<unknown> {
  return vi.waitUntil(holds, { timeout: 20_000, interval: 5 });
}

export const never = new AbortController().signal;

export async function started(options: StartSftpOptions = {}): Promise<SftpServer> {
  const server = await startSftp(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

export function optionsFor(server: SftpServer, options: Partial<SftpOptions> = {}): SftpOptions {
  const { host, port, hostKeys } = server;
  return { host, port, hostKeys, username: 'octo', password: 'loopback', ...options };
}

export async function connected(
  server: SftpServer,
  options: Partial<SftpOptions> = {},
  {
    clock = systemClock,
    logger = new RecordingLogger(),
  }: { clock?: Clock; logger?: RecordingLogger } = {},
): Promise<SftpSession> {
  const session = await connectSftp(optionsFor(server, options), { clock, logger }, never);
  onTestFinished(() => session[Symbol.asyncDispose]());
  return session;
}

/** The PluginError that the work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<PluginError> {
  try {
    await work;
  } catch (error) {
    if (isPluginError(error)) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

export async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
