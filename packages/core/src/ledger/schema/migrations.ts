import { deliveries } from './0001-deliveries.ts';
import { sightingsAndOutbox } from './0002-sightings-and-outbox.ts';
import { runs } from './0003-runs.ts';
import { api } from './0004-api.ts';
import { notices } from './0005-notices.ts';
import { timings } from './0006-timings.ts';
import { policy } from './0007-policy.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** In order, never edited once released: the next change is a new one at the end. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'deliveries', sql: deliveries },
  { version: 2, name: 'sightings and outbox', sql: sightingsAndOutbox },
  { version: 3, name: 'runs', sql: runs },
  { version: 4, name: 'api', sql: api },
  { version: 5, name: 'notices', sql: notices },
  { version: 6, name: 'timings', sql: timings },
  { version: 7, name: 'policy', sql: policy },
];
