import { isPluginError } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import { describeError } from '../observe/describe-error.ts';
import { responseTo } from '../resilience/error-response.ts';
import { LeftAlone } from '../resilience/left-alone.ts';
import type { RunEnd, Taken, TakenRun } from './run-queue.ts';
import { HostStopping, RunCancelled } from './run-signals.ts';

/** Attempts at a run whose failure is worth another try, unless its pipeline says otherwise. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 600_000;
/** Nobody may ask to be left alone for longer. */
const LONGEST_WISH_MS = 86_400_000;
/** Those who wait for the same vendor do not all come at the same moment. */
const SPREAD_MS = 1000;

/** Of the host's own errors those that may be over in a moment. */
const PASSING = new Set([
  'OCTO_DATABASE_UNREACHABLE',
  'OCTO_DATABASE_READ_ONLY',
  'OCTO_SINK_BUSY',
  'OCTO_WORKER_FAILED',
]);

/**
 * What becomes of a run that was stopped or failed: by the type of the error, and how often it failed before. `random` for
 * the jitter of the pause, 0 ≤ random() < 1; `redact` takes secrets out of what is stored.
 */
export function afterFailure(
  error: unknown,
  run: Pick<TakenRun, 'failures' | 'deaths'>,
  taken: Taken,
  {
    random,
    redact,
    attempts = ATTEMPTS,
  }: {
    readonly random: () => number;
    readonly redact: (text: string) => string;
    readonly attempts?: number | undefined;
  },
): RunEnd {
  if (error instanceof RunCancelled) return { state: 'CANCELLED', by: error.by, ...taken };
  if (error instanceof HostStopping) return { state: 'QUEUED', afterMs: 0, died: false, ...taken };
  if (error instanceof LeftAlone) {
    const why = { code: error.code, message: redact(error.message) };
    const afterMs = Math.max(0, error.forMs) + random() * SPREAD_MS;
    return { state: 'QUEUED', afterMs, error: why, died: false, putOff: true, ...taken };
  }
  const failure = { code: codeOf(error), message: redact(describeError(error)) };
  const died = failure.code === 'OCTO_WORKER_FAILED';
  const before = died ? run.deaths : run.failures;
  if (!isPassing(error) || before + 1 >= attempts)
    return { state: 'FAILED', error: failure, ...taken };
  const afterMs = pauseMs(error, before, random);
  return { state: 'QUEUED', afterMs, error: failure, died, ...taken };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof OctoError)) return responseTo(error).retry;
  return PASSING.has(error.code) || (isPluginError(error.cause) && responseTo(error.cause).retry);
}

/** Of the catalogue, of the plugin, or the plugin error's type. */
function codeOf(error: unknown): string {
  if (isPluginError(error)) return error.code ?? error.type;
  if (error instanceof OctoError)
    return isPluginError(error.cause) ? codeOf(error.cause) : error.code;
  return 'UNEXPECTED';
}

/** As long as the other side asked for, else three times as long each time, less up to half of it. */
function pauseMs(error: unknown, before: number, random: () => number): number {
  const cause = error instanceof OctoError ? error.cause : error;
  const asked = isPluginError(cause) ? cause.retryAfterMs : undefined;
  if (asked !== undefined && asked > 0) return Math.min(asked, LONGEST_WISH_MS);
  return Math.min(FIRST_PAUSE_MS * 3 ** before, LONGEST_PAUSE_MS) * (0.5 + random() / 2);
}
