import { OctoError } from '../../errors/octo-error.ts';

/**
 * What an error of node-postgres means for the caller. `broken`: the connection is of no use any more. `later`: the same
 * statement may succeed in a moment.
 */
export interface DatabaseTrouble {
  readonly broken: boolean;
  readonly later: boolean;
}

const LATER_CODES = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '53300', // too many connections
  '55P03', // lock not available
  '57014', // statement timeout
]);
/** Of the class 57: an administrator, a crash, a start or a stop of the server, a session that was idle too long. */
const SERVER_STOPS = new Set(['57P01', '57P02', '57P03', '57P05', '25P03']);
/** A replica that is about to take over. */
const READ_ONLY = '25006';
const DISK_FULL = '53100';
const SOCKET_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
/** Errors that node-postgres itself makes have no code. */
const CLIENT_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded|Query read timeout|Client has encountered a connection error|Client was closed)/;

export function databaseTrouble(error: unknown): DatabaseTrouble {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  const pastUse = CLIENT_MESSAGES.test(message) || SOCKET_CODES.has(code) || code.startsWith('08');
  if (pastUse || SERVER_STOPS.has(code)) return { broken: true, later: true };
  if (code === READ_ONLY) return { broken: true, later: true };
  return { broken: code === '57014', later: LATER_CODES.has(code) };
}

/** SQLSTATE or errno code, '' when there is none. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** For logs: never the error itself, to which the pool ties its client with everything that it knows. */
export function troubleFields(error: unknown): { readonly code: string; readonly reason: string } {
  return { code: codeOf(error), reason: reasonOf(error) };
}

/** Whether a statement failed at this unique index. */
export function violates(error: unknown, index: string): boolean {
  return codeOf(error) === '23505' && (error as { constraint?: string }).constraint === index;
}

/** The last error of a database that did not come back, in words; anything else is returned as it is. */
export function explainTrouble(error: unknown, place: string): unknown {
  const code = codeOf(error);
  const say = (id: OctoError['code'], text: string): OctoError =>
    new OctoError(id, text, { cause: error });
  if (code === DISK_FULL)
    return say('OCTO_DATABASE_FULL', `the disk of ${place} is full; make room, then run again`);
  if (code === READ_ONLY)
    return say(
      'OCTO_DATABASE_READ_ONLY',
      `${place} accepts no changes; point DATABASE_URL at the primary server`,
    );
  if (code.startsWith('28') || code === '3D000' || code === '42501')
    return say(
      'OCTO_DATABASE_REFUSED',
      `${place} refused: ${(error as Error).message}; check user, password, database name and the right to create a schema`,
    );
  if (!databaseTrouble(error).later) return error;
  return say(
    'OCTO_DATABASE_UNREACHABLE',
    `${place} does not answer (${reasonOf(error)}); is it running?`,
  );
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return message === '' ? codeOf(error) : message;
}
