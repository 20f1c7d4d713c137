/** Runs requests when their time has come, and delivers what they asked for. */
import { fieldsIn, securitiesIn } from './request-check.ts';
import { nameOf, type StoredRequest } from './data-requests.ts';
import { nextRun } from './recurrence.ts';
import { responseContent } from './response-content.ts';
import type { BloombergResponse } from './response-store.ts';
import type { RestDesk } from './rest-desk.ts';

export class RequestRunner {
  readonly #desk: () => RestDesk;
  readonly #deliver: (response: BloombergResponse) => void;

  /** @param desk asked for when a request is scheduled, not before */
  constructor(desk: () => RestDesk, deliver: (response: BloombergResponse) => void) {
    this.#desk = desk;
    this.#deliver = deliver;
  }

  /** Runs it at once, or when its trigger says. */
  schedule(request: StoredRequest): void {
    const { clock } = this.#desk();
    const startMs = startOf(request, clock.now());
    if (startMs === undefined) return this.#at(clock.now(), request);
    this.#next(request, startMs);
  }

  #next(request: StoredRequest, dueMs: number): void {
    const { clock } = this.#desk();
    const { frequency } = request.trigger.component;
    let next: number | undefined = dueMs;
    while (next !== undefined && next < clock.now()) next = nextRun(frequency, next);
    if (next === undefined) return;
    request.nextRunMs = next;
    this.#at(next, request);
  }

  #at(dueMs: number, request: StoredRequest): void {
    const { clock, closing, faults } = this.#desk();
    const waitMs = dueMs - clock.now() + faults.deliverDelayMs;
    if (waitMs <= 0) return this.#run(request);
    clock.sleep(waitMs, closing).then(
      () => this.#run(request),
      () => {},
    );
  }

  #run(request: StoredRequest): void {
    if (!request.enabled) return;
    const { account, now } = this.#desk();
    const nowMs = now();
    const { identifier, nextRunMs, type } = request;
    const { body, ending } = responseContent({
      account,
      request,
      nowMs,
      securities: securitiesIn(request.universe),
      fields: fieldsIn(request.fieldList),
    });
    const key = `${request.name ?? identifier}-${timestamp(nowMs)}.${ending}`;
    const of = { requestId: identifier, requestName: nameOf(request), requestType: type };
    this.#deliver({ key, body, ...of, snapshotMs: nowMs });
    request.lastRunMs = nowMs;
    delete request.nextRunMs;
    const again = nextRun(request.trigger.component.frequency, nextRunMs ?? nowMs);
    if (again !== undefined) this.#next(request, again);
  }
}

/** When a scheduled trigger begins, in UTC; `undefined` for those that run at once. Today unless it says otherwise. */
function startOf({ trigger: { component } }: StoredRequest, nowMs: number): number | undefined {
  const { frequency, startDate, startTime = '00:00:00' } = component;
  if (component['@type'] !== 'ScheduledTrigger') return undefined;
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const startMs = Date.parse(`${startDate ?? today}T${startTime}Z`);
  return frequency === 'once' && startMs <= nowMs ? undefined : startMs;
}

/** `20260115T220444` */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
}
