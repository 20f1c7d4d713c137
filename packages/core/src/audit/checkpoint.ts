import { createHmac } from 'node:crypto';
import type { Head } from './audit-record.ts';

/**
 * How far a log has come, kept where who can change the log cannot: nothing up to there can be changed or taken away
 * unseen. It is one line of text, so that any syslog can carry it, and any of its files can be read back.
 */
export interface Checkpoint extends Head {
  /** Which log: several may share one place. */
  readonly log: string;
}

export function checkpointLine({ log, n, mac }: Checkpoint): string {
  return `octo-audit-checkpoint log=${log} n=${n} mac=${mac}`;
}

/** Every checkpoint of one log in a text, whatever else the text holds. */
export function checkpointsIn(text: string, log: string): Checkpoint[] {
  return [...text.matchAll(LINE)]
    .map(([, id = '', n, mac = '']) => ({ log: id, n: Number(n), mac }))
    .filter((one) => one.log === log);
}

const LINE = /octo-audit-checkpoint log=([0-9a-f]{16}) n=(\d{1,15}) mac=([0-9a-f]{64})/g;

/** A name for the log of a key, which tells nothing of the key. */
export function logIdOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('octo audit log').digest('hex').slice(0, 16);
}
