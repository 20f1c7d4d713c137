import { createHash } from 'node:crypto';
import type { Clock, Logger } from '@octo/plugin-api';
import type { SftpSession } from '@octo/sftp';
import { joined } from './joined.ts';
import { type AskedFile, replyNameOf, requestNameOf } from './reply-names.ts';
import type { RequestNotes } from './request-notes.ts';

export interface AskOptions {
  readonly session: SftpSession;
  readonly folder: string;
  readonly notes: RequestNotes;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The text of a request file whose reply is to have this name. */
  readonly textOf: (asked: AskedFile, reply: string) => string;
}

/**
 * Uploads the request file of this moment unless that was done. What is noted is believed; where nothing is, a request
 * file of the same size at the server counts as well, so that a lost state folder does not cost money.
 * @returns the name of its reply
 */
export async function ask(
  asked: AskedFile,
  options: AskOptions,
  signal: AbortSignal,
): Promise<string> {
  const { clock, folder, logger, notes, session, textOf } = options;
  const reply = asked.name.at(clock.now());
  const bytes = Buffer.from(textOf(asked, reply), 'latin1');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const note = await notes.request(reply);
  if (note?.sha256 === sha256 && note.state === 'asked') return reply;
  const path = joined(folder, requestNameOf(reply));
  const sinceMs = clock.now();
  if (note === undefined || note.sha256 === sha256) {
    const there = await session.stat(path, signal);
    if (there?.size === bytes.length) {
      await notes.noteRequest(reply, { sha256, state: 'asked', sinceMs });
      return reply;
    }
  }
  if (!(await clear(reply, note !== undefined, options, signal))) return reply;
  await notes.noteRequest(reply, { sha256, state: 'asking', sinceMs });
  await session.upload(path, bytes, signal);
  await notes.noteRequest(reply, { sha256, state: 'asked', sinceMs });
  logger.info({ request: path, reply, securities: asked.config.securities.length }, 'request sent');
  return reply;
}

/**
 * Removes replies of this name, which could be mistaken for the answer. An answer to an earlier request of ours stays until
 * it was delivered, unless it only says why there is none.
 * @returns whether the name is free
 */
async function clear(
  reply: string,
  wasAsked: boolean,
  { folder, logger, notes, session }: AskOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const stale: string[] = [];
  for await (const { kind, mtimeMs, name, path, size } of session.list(folder, signal)) {
    if (kind !== 'file' || replyNameOf(name) !== reply) continue;
    const done = await notes.delivered(path);
    const isDelivered = done?.size === size && done.mtimeMs === mtimeMs;
    if (wasAsked && !isDelivered && !(await isErrorReply(session, { path, size }, signal))) {
      logger.warn(
        { reply: path },
        'request held back until the last reply of its name is delivered',
      );
      return false;
    }
    stale.push(path);
  }
  for (const path of stale) {
    await session.remove(path, signal);
    logger.warn({ reply: path }, 'stale reply removed before the request is sent');
  }
  return true;
}

/** `## …`: a request that Bloomberg could not read. It is never delivered, and holds no data. */
async function isErrorReply(
  session: SftpSession,
  { path, size }: { readonly path: string; readonly size: number },
  signal: AbortSignal,
): Promise<boolean> {
  if (size > MAX_ERROR_BYTES) return false;
  for await (const chunk of session.read(path, { size }, signal)) return chunk[0] === HASH;
  return false;
}

const MAX_ERROR_BYTES = 64 * 1024;
const HASH = 0x23;
