import { join } from 'node:path';
import type { Clock, Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import { prepareStateFolder } from '../state/state-folder.ts';
import { auditKey, auditKeyFile, readAuditKey } from './audit-key.ts';
import { Secret } from '../observe/secret.ts';
import { AuditLog } from './audit-log.ts';
import type { AuditTrail } from './audit-trail.ts';
import { logIdOf } from './checkpoint.ts';
import { checkpointPlace } from './checkpoint-place.ts';
import { cleanEntry } from './clean-entry.ts';
import { KeepCheckpoints } from './keep-checkpoints.ts';
import { segmentsOf } from './segments.ts';

export interface OpenAuditOptions {
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes secrets out of every text before it is written. */
  readonly redact: (text: string) => string;
  /** `OCTO_AUDIT_CHECKPOINT`; see `checkpointPlace`. Without it nobody outside knows how long the log is. */
  readonly checkpoint?: string | undefined;
}

/** The folder of a state folder's log. */
export function auditFolder(stateFolder: string): string {
  return join(stateFolder, 'audit');
}

/**
 * Opens the audit log of a state folder, and makes it if there is none.
 * @throws OctoError `OCTO_AUDIT_UNAVAILABLE`, `OCTO_AUDIT_CHECKPOINT`, `OCTO_STATE_*`
 */
export async function openAudit(options: OpenAuditOptions): Promise<AuditTrail> {
  const { stateFolder, clock, logger, redact, checkpoint } = options;
  const place = checkpoint ? checkpointPlace(checkpoint) : undefined;
  const { path } = await prepareStateFolder(stateFolder);
  const folder = auditFolder(path);
  const key = await keyFor(path, folder);
  const keeping =
    place && new KeepCheckpoints({ place, log: logIdOf(key.reveal()), clock, logger });
  const clean = (entry: Parameters<AuditTrail['record']>[0]) => cleanEntry(entry, redact);
  try {
    const log = await AuditLog.open({
      folder,
      key,
      clock,
      clean,
      ...(keeping && { onGrown: keeping.grown }),
    });
    return {
      record: (entry) => log.record(entry),
      [Symbol.asyncDispose]: async () => {
        await log[Symbol.asyncDispose]();
        await keeping?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await keeping?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** A log whose key is gone is not gone on with under another: that would look like a new log to whoever checks it. */
async function keyFor(stateFolder: string, folder: string): Promise<Secret<Buffer>> {
  const file = auditKeyFile(stateFolder);
  const hasRecords = (await segmentsOf(folder)).length > 0;
  if (hasRecords && (await readAuditKey(file)) === undefined)
    throw new OctoError(
      'OCTO_AUDIT_UNAVAILABLE',
      `the key of the audit log, ${file}, is gone; restore it, or move ${folder} away to begin a new log`,
    );
  return new Secret(await auditKey(file));
}
