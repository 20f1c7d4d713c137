import { LEASE_MS } from './lease.ts';
import type { RunContext } from './run-context.ts';

/** Older than any attempt that could still want it: the longest lease and a day. */
const ORPHAN_AGE_MS = LEASE_MS + 24 * 60 * 60 * 1000;

/**
 * Aborts uploads under our place that no open delivery names. Safety does not depend on it: an upload whose id was never
 * stored is never completed. It only saves the storage of parts that nobody will ask for.
 */
export async function sweep(context: RunContext, signal: AbortSignal): Promise<void> {
  const { pipeline, ledger, scope, clock, logger, report } = context;
  const { sink } = pipeline;
  // A sink that failed for a file would fail once more, and say nothing new; another run will sweep.
  if (sink.uploads === undefined || report.hasFailures) return;
  try {
    const live = await ledger.liveUploads(scope.sink);
    for await (const upload of sink.uploads(signal)) {
      if (live.has(upload.id) || clock.now() - upload.startedMs < ORPHAN_AGE_MS) continue;
      await sink.abort(upload, signal);
      logger.info({ key: upload.key }, 'orphaned upload aborted');
    }
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ err: error }, 'orphaned uploads could not be swept');
  }
}
