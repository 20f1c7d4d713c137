import type { RemoteFile } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import type { Claimed } from '../ledger/ledger.ts';
import { Attempt } from './attempt.ts';
import { isOvertime, Lease, LEASE_MS } from './lease.ts';
import type { Listing } from './listing.ts';
import { numberedKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { placeLimits, Places, type Room } from './places.ts';
import { Receiver } from './receive.ts';
import type { RunContext } from './run-context.ts';
import type { RunEvent } from './run-report.ts';
import { type FileTimes, StepWatch } from './step-watch.ts';
import { proveIntegrity } from './through-steps.ts';
import { finishDelivered } from './vendor-side.ts';

/**
 * Claims and delivers until nothing claimable is left, `concurrency` files at a time. A delivery that was parked is not
 * tried again in the same call; one that waits for another's content is, as soon as that is decided. When the sink cannot
 * be reached, the files that were not begun stay for the next run: one word about it is enough.
 */
export async function deliverAll(
  context: RunContext,
  listing: Listing,
  signal: AbortSignal,
): Promise<void> {
  const tried = new Set<string>();
  const places = new Places(placeLimits(context.pipeline));
  const failure: { error?: unknown } = {};
  const sink = { isDown: false };
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  const fail = (error: unknown): undefined => {
    failure.error ??= error;
    stop.abort(error);
  };
  const mayBegin = (): boolean => !inner.aborted && !sink.isDown;
  const begin = async (room: Room): Promise<number> => {
    if (!mayBegin()) return 0;
    const claimed = await claim(context, listing, tried, room);
    for (const delivery of claimed) {
      const work = deliver(context, listing, delivery, inner, tried)
        .then((outcome) => (sink.isDown ||= outcome.outcome === 'parked' && outcome.sinkIsDown))
        .catch(fail);
      places.take(room, work);
    }
    return claimed.length;
  };
  for (;;) {
    const before = places.departures;
    let begun = 0;
    for (const room of places.rooms()) begun += (await begin(room).catch(fail)) ?? 0;
    // What has ended meanwhile may have decided about another that was not claimable a moment ago.
    if (begun > 0 || (places.departures > before && mayBegin())) continue;
    if (places.areEmpty) break;
    await places.left();
  }
  signal.throwIfAborted();
  if (failure.error !== undefined) throw failure.error;
}

function claim(
  context: RunContext,
  { toDeliver }: Listing,
  tried: ReadonlySet<string>,
  { count, maxBytes }: Room,
): Promise<readonly Claimed[]> {
  const { ledger, scope, pipeline } = context;
  const { onReissue } = pipeline.config;
  const request = {
    ...scope,
    leaseMs: LEASE_MS,
    exclude: [...tried],
    keyAt: numberedKey,
    onReissue,
    ...(toDeliver !== undefined && { ids: toDeliver }),
    ...(maxBytes !== undefined && { maxBytes }),
  };
  return ledger.claimMany(request, count);
}

async function deliver(
  context: RunContext,
  listing: Listing,
  delivery: Claimed,
  outer: AbortSignal,
  tried: Set<string>,
): Promise<Outcome> {
  const file = listing.file(delivery.id) ?? remembered(delivery);
  context.report.event({ event: 'started', path: file.path, size: file.size });
  // Before the attempt: once it is parked in the ledger, the next claim could get it again.
  tried.add(delivery.id);
  const watch = new StepWatch(
    context.clock,
    context.pipeline.steps.map(({ name }) => name),
  );
  const outcome = await underLease(context, delivery, file, watch, outer);
  if (outcome.outcome !== 'parked' && outcome.outcome !== 'fenced-out') tried.delete(delivery.id);
  await tell(context, { delivery, file, outcome, times: watch.times() }, outer);
  return outcome;
}

/** The attempt, for as long as nobody takes over and its time is not up. */
async function underLease(
  context: RunContext,
  delivery: Claimed,
  file: RemoteFile,
  watch: StepWatch,
  outer: AbortSignal,
): Promise<Outcome> {
  const { maxTimeMs } = context.pipeline.config.limits;
  await using lease = new Lease(delivery, { ...context, maxTimeMs }, outer);
  try {
    return await attempt(context, delivery, file, watch, lease.signal);
  } catch (error) {
    return await interrupted(context, delivery, error, outer, lease);
  }
}

async function attempt(
  context: RunContext,
  delivery: Claimed,
  file: RemoteFile,
  watch: StepWatch,
  signal: AbortSignal,
): Promise<Outcome> {
  const { pipeline, report } = context;
  const { config, steps, sink } = pipeline;
  const proved = file.complete === true || proveIntegrity(steps, file.name);
  await using receiver = new Receiver({
    ...context,
    file,
    deliveryId: delivery.id,
    steps,
    sink,
    limits: config.limits,
    watch,
    doubleRead: config.doubleRead === 'auto' ? !proved : config.doubleRead,
    onBytes: (bytes) => report.event({ event: 'read', path: file.path, bytes }),
  });
  const parts = {
    ...context,
    config,
    sink,
    watch,
    sinkAttempts: pipeline.sinkPolicy.attempts,
    onEvent: (event: Parameters<typeof report.event>[0]) => report.event(event),
  };
  return await new Attempt(delivery, file, receiver, parts, signal).run();
}

/** The attempt was stopped from outside: by the operator, by a later attempt, or by the clock. */
async function interrupted(
  context: RunContext,
  delivery: Delivery,
  error: unknown,
  outer: AbortSignal,
  lease: Lease,
): Promise<Outcome> {
  if (lease.isLost) return { outcome: 'fenced-out' };
  const reason = error instanceof Error ? error.message : String(error);
  await context.ledger.park(delivery, outer.aborted ? 'the run was stopped' : reason, 0);
  if (outer.aborted || !isOvertime(error)) throw error;
  return { outcome: 'parked', reason, unreachable: false, mayPass: false, sinkIsDown: false };
}

interface Ended {
  readonly delivery: Delivery;
  readonly file: RemoteFile;
  readonly outcome: Outcome;
  readonly times: FileTimes;
}

async function tell(
  context: RunContext,
  { delivery, file, outcome, times }: Ended,
  signal: AbortSignal,
): Promise<void> {
  const { report } = context;
  const about = { delivery: delivery.id, times };
  switch (outcome.outcome) {
    case 'delivered':
      report.delivered(outcome.delivered, about);
      return await finishDelivered(
        context,
        { delivery: { ...delivery, facts: outcome.facts }, clean: outcome.clean },
        file,
        signal,
      );
    case 'duplicate':
      return report.duplicate(file.path, outcome.of, about);
    case 'quarantined':
      return report.quarantined(file.path, outcome.reason, about);
    case 'parked':
      if (outcome.sinkTrouble !== undefined)
        report.event(sinkDown(outcome.reason, outcome.sinkTrouble));
      return report.failed({ ...outcomeOf(outcome), path: file.path }, about);
    case 'superseded':
      return report.pending(file.path, outcome.reason);
    case 'waiting':
    case 'looked':
    case 'fenced-out':
      return;
  }
}

function sinkDown(
  reason: string,
  { type, retryAfterMs }: NonNullable<(Outcome & { outcome: 'parked' })['sinkTrouble']>,
): RunEvent {
  const wish = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { event: 'sink-down', type, reason, ...wish };
}

function outcomeOf({ reason, unreachable, mayPass }: Extract<Outcome, { outcome: 'parked' }>) {
  return { error: reason, unreachable, ...(mayPass && { mayPass }) };
}

/** A delivery that the vendor does not list now: what the ledger knows is enough to look for it. */
function remembered(delivery: Delivery): RemoteFile {
  const { path, name, size, mtimeMs, location } = delivery;
  return { path, name, size, mtimeMs, location };
}
