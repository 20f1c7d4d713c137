/** Puts the desk of a REST server together. */
import { DataRequests } from './data-requests.ts';
import { Datasets } from './datasets.ts';
import { EventLog, type EventLogOptions } from './event-log.ts';
import { eventTexts } from './event-texts.ts';
import { RequestRunner } from './request-runner.ts';
import type { RestDesk } from './rest-desk.ts';
import type { BloombergRestFaults } from './rest-faults.ts';
import { listed, ResponseStore, type BloombergResponse } from './response-store.ts';
import { ComponentShelf, type ComponentKind } from './stored-components.ts';

export interface RestDeskOptions extends Pick<
  EventLogOptions,
  'clock' | 'closing' | 'heartbeatMs'
> {
  readonly account: string;
  readonly faults: BloombergRestFaults;
  readonly strict: boolean;
  readonly listedMs: number;
}

export interface FurnishedDesk extends RestDesk {
  /** Puts a response into the listing, and announces it. */
  readonly deliver: (response: BloombergResponse) => void;
}

export function restDesk(options: RestDeskOptions) {
  const { account, clock, closing, faults, heartbeatMs, listedMs, strict } = options;
  const now = () => clock.now() + faults.skewMs;
  const responses = new ResponseStore();
  const requests = new DataRequests();
  const events = new EventLog({ clock, closing, faults: faults.sse, heartbeatMs });
  const deliver = (response: BloombergResponse): void => {
    const stored = responses.put(response, now());
    if (response.announced === false) return;
    events.publish(eventTexts(listed(stored, faults.digestIsWrong(stored.key)), account, now()));
  };
  const shelf = (kind: ComponentKind) =>
    new ComponentShelf(kind, {
      path: `/eap/catalogs/${account}`,
      now,
      strict,
      isUsed: (path) => requests.uses(path),
    });
  const desk: FurnishedDesk = {
    clock,
    account,
    faults,
    strict,
    listedMs,
    responses,
    events,
    datasets: new Datasets(),
    shelves: {
      universes: shelf('universes'),
      fieldLists: shelf('fieldLists'),
      triggers: shelf('triggers'),
    },
    requests,
    runner: new RequestRunner(() => desk, deliver),
    closing,
    now,
    deliver,
  };
  return desk;
}
