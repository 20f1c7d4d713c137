import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { posix, join } from 'node:path';
import { PluginError, type Clock, type Proof, type RemoteFile, type Sink } from '@octo/plugin-api';
import { retry } from '../resilience/retry.ts';
import { ContentHash } from './content-hash.ts';
import type { Content } from './step.ts';

const MANIFEST_SUFFIX = '.manifest.json';

/** A member of an archive, verified, on private local disk until the whole archive is. */
export interface SpooledMember {
  /** Its path inside the archive. */
  readonly name: string;
  readonly file: string;
  readonly proof: Proof & { readonly sha256: Buffer };
}

/** Writes a member to the spool folder and hashes it. `count` sees every chunk's length and may throw. */
export async function spoolMember(
  content: Content,
  folder: string,
  count: (bytes: number) => void,
): Promise<SpooledMember> {
  const file = join(folder, randomUUID());
  const hash = new ContentHash();
  await using handle = await open(file, 'wx', 0o600);
  for await (const chunk of content.bytes) {
    count(chunk.length);
    hash.update(chunk);
    await handle.writeFile(chunk).catch(diskTrouble);
  }
  return { name: content.member!, file, proof: hash.proof() };
}

/**
 * The object of a delivery of several members: what they are and where they lie, relative to the manifest. Written last,
 * it makes all of them visible at once.
 */
export function manifestOf(
  deliveryId: string,
  file: RemoteFile,
  rawSha256: Buffer,
  members: readonly SpooledMember[],
): Buffer {
  const manifest = {
    octo: 1,
    delivery: deliveryId,
    source: {
      path: file.path,
      size: file.size,
      mtimeMs: file.mtimeMs,
      sha256: rawSha256.toString('hex'),
    },
    members: members.map(({ name, proof }) => ({
      name,
      object: memberPath(name, proof),
      bytes: proof.bytes,
      sha256: Buffer.from(proof.sha256).toString('hex'),
    })),
  };
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

export interface PlaceOptions {
  readonly sink: Sink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly attempts: number;
  readonly signal: AbortSignal;
}

/**
 * Commits every member under its content's hash, beside the manifest that will name it. A member that is there already has
 * the same bytes: attempts of two reads cannot mix.
 */
export async function placeMembers(
  members: readonly SpooledMember[],
  manifestKey: string,
  options: PlaceOptions,
): Promise<void> {
  const folder = memberFolder(manifestKey);
  for (const member of members) {
    const key = `${folder}/${memberPath(member.name, member.proof)}`;
    await retry(() => placeMember(member, key, options), options);
    await unlink(member.file);
  }
}

/** Where the members of a manifest lie: beside it, in a folder of the archive's name. */
export function memberFolder(manifestKey: string): string {
  return manifestKey.endsWith(MANIFEST_SUFFIX)
    ? manifestKey.slice(0, -MANIFEST_SUFFIX.length)
    : `${manifestKey}.members`;
}

async function placeMember(
  member: SpooledMember,
  key: string,
  options: PlaceOptions,
): Promise<void> {
  const { sink, signal } = options;
  const sha256 = Buffer.from(member.proof.sha256).toString('hex');
  if (await isThere(key, member, options)) return;
  const metadata = { 'octo-v': '1', 'octo-member-sha256': sha256 };
  await using staged = await sink.stage({ key, metadata, sizeHint: member.proof.bytes }, signal);
  try {
    for await (const chunk of createReadStream(member.file, { highWaterMark: 256 * 1024 }))
      await staged.write(chunk as Uint8Array, signal);
    const { outcome } = await staged.commit(member.proof, signal);
    if (outcome === 'committed') return;
  } finally {
    await sink.abort({ key, id: staged.id }, signal).catch(() => {});
  }
  if (!(await isThere(key, member, options)))
    throw new PluginError('provider_down', `the sink did not take the member '${member.name}'`);
}

async function isThere(
  key: string,
  member: SpooledMember,
  { sink, signal }: PlaceOptions,
): Promise<boolean> {
  const object = await sink.head(key, signal);
  if (object === undefined) return false;
  const sha256 = Buffer.from(member.proof.sha256).toString('hex');
  if (object.metadata['octo-member-sha256'] === sha256 && object.bytes === member.proof.bytes)
    return true;
  throw new PluginError('integrity', `something else lies at '${key}', where a member belongs`, {
    code: 'KEY_TAKEN',
  });
}

function memberPath(name: string, proof: Proof): string {
  return `${Buffer.from(proof.sha256).toString('hex')}/${posix.basename(name)}`;
}

function diskTrouble(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  throw new PluginError(
    'provider_down',
    'the local disk is full: no room for spool files; free some space',
    {
      cause: error,
      code: 'DISK_FULL',
    },
  );
}
