import type { Environment } from './environment.ts';

/** A run's name in the ledger's history: when it began, UTC, and four characters against chance: `20260116-034507-k3x9`. */
export function newRunId({ clock, random }: Pick<Environment, 'clock' | 'random'>): string {
  const [day = '', time = ''] = new Date(clock.now()).toISOString().split(/[T.]/);
  const suffix = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  return `${day.replaceAll('-', '')}-${time.replaceAll(':', '')}-${suffix}`;
}
