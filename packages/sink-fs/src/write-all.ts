import { PluginError } from '@octo/plugin-api';
import type { DiskFile } from './disk.ts';

/** Writes until nothing is left, however little the disk takes at a time. Returns the position behind the last byte. */
export async function writeAll(
  file: DiskFile,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let at = position;
  let rest = chunks.filter((chunk) => chunk.length > 0);
  while (rest.length > 0) {
    const written = await file.write(rest, at);
    if (written === 0) throw new PluginError('provider_down', 'the disk took no byte of a write');
    at += written;
    rest = behind(rest, written);
  }
  return at;
}

function behind(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
}
