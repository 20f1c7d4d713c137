/** What the endpoints of the REST server share. */
import type { Clock } from '@octo/plugin-api';
import type { ResponseStore } from './response-store.ts';
import type { BloombergRestFaults } from './rest-faults.ts';

export interface RestDesk {
  readonly clock: Clock;
  readonly account: string;
  readonly faults: BloombergRestFaults;
  readonly responses: ResponseStore;
  /** The server's own time: the clock's and the skew. Milliseconds since the epoch. */
  now(): number;
}
