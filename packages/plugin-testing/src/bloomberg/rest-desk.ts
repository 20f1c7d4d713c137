/** What the endpoints of the REST server share. */
import type { Clock } from '@octo/plugin-api';
import type { DataRequests } from './data-requests.ts';
import type { Datasets } from './datasets.ts';
import type { EventLog } from './event-log.ts';
import type { RequestRunner } from './request-runner.ts';
import type { BloombergRestFaults } from './rest-faults.ts';
import type { ResponseStore } from './response-store.ts';
import type { ComponentKind, ComponentShelf } from './stored-components.ts';

export interface RestDesk {
  readonly clock: Clock;
  readonly account: string;
  readonly faults: BloombergRestFaults;
  /** Whether everything is refused that Bloomberg documents as refused. */
  readonly strict: boolean;
  /** How long responses are listed. */
  readonly listedMs: number;
  readonly responses: ResponseStore;
  readonly events: EventLog;
  readonly datasets: Datasets;
  readonly shelves: { readonly [kind in ComponentKind]: ComponentShelf };
  readonly requests: DataRequests;
  readonly runner: RequestRunner;
  /** Ends every wait. */
  readonly closing: AbortSignal;
  /** The server's own time: the clock's and the skew. Milliseconds since the epoch. */
  readonly now: () => number;
}
