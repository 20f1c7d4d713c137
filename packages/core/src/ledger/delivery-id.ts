import { createHash } from 'node:crypto';
import type { Scope, SourceVersion } from './delivery.ts';

/**
 * The id of a delivery: the same in every ledger, so that a rebuilt one recognises its objects.
 * Hex SHA-256 over length-prefixed pipeline, sink, path, size and mtime.
 */
export function deliveryId(scope: Scope, version: SourceVersion): string {
  const hash = createHash('sha256');
  for (const part of [
    scope.pipeline,
    scope.sink,
    version.path,
    String(version.size),
    String(version.mtimeMs),
  ]) {
    const bytes = Buffer.from(part, 'utf8');
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}
