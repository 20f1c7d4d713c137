import { PluginError, type RemoteFile } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import { Attempt } from './attempt.ts';
import { Lease, LEASE_MS } from './lease.ts';
import type { Listing } from './listing.ts';
import { numberedKey } from './object-key.ts';
import type { Outcome } from './outcome.ts';
import { Receiver } from './receive.ts';
import type { RunContext } from './run-context.ts';
import { proveIntegrity } from './through-steps.ts';
import { finishDelivered } from './vendor-side.ts';

/**
 * Claims and delivers until nothing claimable is left, `concurrency` files at a time. A delivery that was parked is not
 * tried again in the same call; one that waits for another's content is, as soon as that is decided.
 */
export async function deliverAll(
  context: RunContext,
  listing: Listing,
  signal: AbortSignal,
): Promise<void> {
  const tried = new Set<string>();
  const working = new Map<string, Promise<void>>();
  const failure: { error?: unknown } = {};
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  const fail = (error: unknown): undefined => {
    failure.error ??= error;
    stop.abort(error);
  };
  for (;;) {
    const mayClaim = working.size < context.pipeline.config.concurrency && !inner.aborted;
    const claimed = mayClaim ? await claim(context, tried).catch(fail) : undefined;
    if (claimed !== undefined) {
      const work = deliver(context, listing, claimed, inner, tried).catch(fail);
      working.set(
        claimed.id,
        work.finally(() => working.delete(claimed.id)),
      );
    } else if (working.size > 0) await Promise.race(working.values());
    else break;
  }
  signal.throwIfAborted();
  if (failure.error !== undefined) throw failure.error;
}

function claim(context: RunContext, tried: ReadonlySet<string>): Promise<Delivery | undefined> {
  const { ledger, scope, pipeline } = context;
  const { onReissue } = pipeline.config;
  return ledger.claim({
    ...scope,
    leaseMs: LEASE_MS,
    exclude: [...tried],
    keyAt: numberedKey,
    onReissue,
  });
}

async function deliver(
  context: RunContext,
  listing: Listing,
  delivery: Delivery,
  outer: AbortSignal,
  tried: Set<string>,
): Promise<void> {
  const file = listing.file(delivery.id) ?? remembered(delivery);
  context.report.event({ event: 'started', path: file.path, size: file.size });
  // Before the attempt: once it is parked in the ledger, the next claim could get it again.
  tried.add(delivery.id);
  const outcome = await underLease(context, delivery, file, outer);
  if (outcome.outcome !== 'parked' && outcome.outcome !== 'fenced-out') tried.delete(delivery.id);
  await tell(context, delivery, file, outcome, outer);
}

/** The attempt, for as long as nobody takes over and its time is not up. */
async function underLease(
  context: RunContext,
  delivery: Delivery,
  file: RemoteFile,
  outer: AbortSignal,
): Promise<Outcome> {
  const { ledger, clock, logger, pipeline } = context;
  await using lease = new Lease(delivery, ledger, clock, logger);
  const overtime = new AbortController();
  await using _timer = overtimeTimer(overtime, pipeline.config.limits.maxTimeMs, context);
  const signal = AbortSignal.any([outer, lease.signal, overtime.signal]);
  try {
    return await attempt(context, delivery, file, signal);
  } catch (error) {
    return await interrupted(context, delivery, error, outer, lease.signal);
  }
}

async function attempt(
  context: RunContext,
  delivery: Delivery,
  file: RemoteFile,
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
    doubleRead: config.doubleRead === 'auto' ? !proved : config.doubleRead,
    onBytes: (bytes) => report.event({ event: 'read', path: file.path, bytes }),
  });
  const parts = {
    ...context,
    config,
    sink,
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
  lost: AbortSignal,
): Promise<Outcome> {
  if (lost.aborted) return { outcome: 'fenced-out' };
  const reason = error instanceof Error ? error.message : String(error);
  await context.ledger.park(delivery, outer.aborted ? 'the run was stopped' : reason, 0);
  if (outer.aborted || !isOvertime(error)) throw error;
  return { outcome: 'parked', reason, unreachable: false };
}

async function tell(
  context: RunContext,
  delivery: Delivery,
  file: RemoteFile,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const { report } = context;
  switch (outcome.outcome) {
    case 'delivered':
      report.delivered(outcome.delivered);
      return await finishDelivered(context, delivery.id, file, signal);
    case 'duplicate':
      return report.duplicate(file.path, outcome.of);
    case 'quarantined':
      return report.quarantined(file.path, outcome.reason);
    case 'parked':
      return report.failed(file.path, outcome.reason, outcome.unreachable);
    case 'superseded':
      return report.pending(file.path, outcome.reason);
    case 'waiting':
    case 'fenced-out':
      return;
  }
}

/** A delivery that the vendor does not list now: what the ledger knows is enough to look for it. */
function remembered(delivery: Delivery): RemoteFile {
  const { path, name, size, mtimeMs, location } = delivery;
  return { path, name, size, mtimeMs, location };
}

function overtimeTimer(
  overtime: AbortController,
  maxTimeMs: number,
  context: RunContext,
): AsyncDisposable {
  const done = new AbortController();
  const waiting = context.clock.sleep(maxTimeMs, done.signal).then(
    () =>
      overtime.abort(
        new PluginError('network', `it took longer than limits.maxTimeMs (${maxTimeMs} ms)`, {
          code: 'OVERTIME',
        }),
      ),
    () => {},
  );
  return {
    async [Symbol.asyncDispose]() {
      done.abort();
      await waiting;
    },
  };
}

function isOvertime(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'OVERTIME';
}
