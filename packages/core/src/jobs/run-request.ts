import { createHash } from 'node:crypto';
import { OctoError } from '../errors/octo-error.ts';
import type { RunRequest } from './runs.ts';

/** What two requests with the same key must have in common. */
export function requestHash(request: RunRequest): Buffer {
  const { pipeline, trigger, by, since, path, priority = 0 } = request;
  const parts = [pipeline, trigger, by, since ?? null, path ?? null, priority];
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

/** The same once more: for somebody else, and in a trace of its own. */
export function repeated(
  { traceParent: _, ...request }: Omit<RunRequest, 'key'>,
  by: string,
): RunRequest {
  return { ...request, trigger: 'retry', by };
}

/** @throws OctoError */
export function keyReused(key: string): OctoError {
  return new OctoError(
    'OCTO_RUN_KEY_REUSED',
    `the key '${key}' came with another request before; repeat that one as it was, or use a new key`,
  );
}
