import type { ErrorCode } from '../errors/catalogue.ts';

/** After so many deaths with nothing else in hand it is the file. */
export const MOST_ALONE = 3;

/** What is known of a file that a worker had in hand when it died. */
export interface Mark {
  /** Deaths with nothing else in hand. */
  readonly alone: number;
  /** Of the last one, such as `was ended by SIGKILL`. */
  readonly how: string;
}

/**
 * A mark as the reason of a delivery that is given back: there other hosts and later processes find it.
 * @param others that were in hand, too
 */
export function markText({ alone, how }: Mark, others: number): string {
  const deaths = alone === 1 ? '1 death alone' : `${alone} deaths alone`;
  const company = others === 0 ? '' : ` with ${others} more in hand`;
  return `WORKER_DIED: ${deaths}; the last time the worker ${how}${company}. It is tried alone next, and set aside after ${MOST_ALONE}`;
}

/** The mark in a delivery's reason; `undefined` where there is none. */
export function markIn(reason: string | undefined): Mark | undefined {
  const found = reason === undefined ? undefined : MARK.exec(reason);
  return found ? { alone: Number(found[1]), how: found[2]! } : undefined;
}

const MARK =
  /^WORKER_DIED: (\d+) deaths? alone; the last time the worker (.*?)(?: with \d+ more in hand)?\. It is /s;

/** Why a file is set aside, and what to do. */
export function convictionText(name: string, { alone, how }: Mark): string {
  const what = `${POISON}: '${name}' was the death of its worker ${alone} times with nothing else in hand; the last time the worker ${how}`;
  return `${what}. Ask the vendor for it again, or mend what reads it (another version of the plugin, a higher limit), then: octo-host files release`;
}

const POISON: ErrorCode = 'OCTO_FILE_POISON';

/** Where not even the way out is survived, and so nothing can be decided. */
export function deadlyText({ alone, how }: Mark): string {
  return `WORKER_DIED: ${alone} deaths alone; the last time the worker ${how}. It is left alone for a day: looking for it at the sink, before it is set aside, is a death, too`;
}
