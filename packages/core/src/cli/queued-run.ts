import type { Logger } from '@octo/plugin-api';
import type { Host } from '../host/host.ts';
import type { TakenRun } from '../jobs/run-queue.ts';
import type { OpenedLedger } from '../ledger/open-ledger.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { childLogger } from '../observe/child-logger.ts';
import { describeError } from '../observe/describe-error.ts';
import type { Narrowing } from '../pipeline/narrowing.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import type { Guard } from '../policy/guard.ts';
import type { TracedRun, Traces } from '../telemetry/traces.ts';
import type { Environment } from './environment.ts';
import type { EventLog, LoggedRun } from './event-log.ts';
import { redactEvent, redactReport } from './redact-run.ts';
import type { RunCounts } from './run-counts.ts';

/** What runs from the queue need of the host that works them off. */
export interface Running {
  readonly host: Host;
  readonly ledger: OpenedLedger;
  readonly guard: Guard;
  readonly logger: Logger;
  readonly log: EventLog;
  readonly counts: RunCounts;
  readonly traces: Traces;
  readonly spoolFolder: string;
  readonly environment: Environment;
}

/**
 * One attempt at a run from the queue: logged, counted, traced and told.
 * @throws LeftAlone before it begins, when the vendor or the sink is to be left alone; else as `Host.run`
 */
export async function runQueued(
  run: TakenRun,
  running: Running,
  tell: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<RunReport> {
  const { manifest } = running.host;
  const { pipeline } = run.request;
  return await running.guard.run({ manifest, pipeline, byHand: false }, signal, (hear, either) => {
    const both = (event: RunEvent): void => {
      hear(event);
      tell(event);
    };
    return attempted(run, running, both, either);
  });
}

async function attempted(
  run: TakenRun,
  running: Running,
  tell: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<RunReport> {
  const { host, ledger, log, counts, spoolFolder, environment } = running;
  const { clock, random, redactor } = environment;
  const names = loggedRun(run, host.manifest);
  const traced = running.traces.run(tracedRun(run));
  const began = clock.monotonic();
  const onEvent = (event: RunEvent) => {
    const clean = redactEvent(event, redactor.redact);
    log.event(names, clean);
    counts.event(names.pipeline, clean);
    traced.event(clean);
    tell(clean);
  };
  const logger = runLogger(names, running);
  const only = onlyOf(run);
  const told = { trace: run.id, by: run.request.by };
  const place = { clock, random, logger, spoolFolder, onEvent, only, ...told };
  const ended = (state: 'succeeded' | 'failed', why?: string) => {
    counts.ended(names.pipeline, state, clock.monotonic() - began);
    traced.ended(state, why);
  };
  const raw = await host
    .run(names.pipeline, { ...place, ledger: ledger.withRun(run.id) }, signal)
    .catch((error: unknown) => {
      ended('failed', describeError(error));
      throw error;
    });
  const [failed] = raw.failed;
  if (failed === undefined) ended('succeeded');
  else ended('failed', failed.error);
  const report = redactReport(raw, redactor.redact);
  log.finished(names, report, clock.monotonic() - began);
  return report;
}

function loggedRun(
  { id, trace, request: { pipeline } }: TakenRun,
  { pipelines }: Manifest,
): LoggedRun {
  // A run of a pipeline that is not there is refused in a moment; until then it has a name.
  const { from = '', to = '' } = pipelines.get(pipeline) ?? {};
  return { pipeline, run: id, trace, from, to };
}

/** What a line does not say itself: who it is about. The plugins' own lines do. */
function runLogger({ from, to: _, ...names }: LoggedRun, { logger, environment }: Running): Logger {
  return childLogger(logger, names, environment.redactor.redact, { instance: from });
}

function tracedRun({ id, trace, attempt, request }: TakenRun): TracedRun {
  const { pipeline, trigger, traceParent: parent } = request;
  return { id, trace, parent, pipeline, trigger, attempt };
}

function onlyOf({ request: { since, path } }: TakenRun): Narrowing {
  return { ...(since !== undefined && { since }), ...(path !== undefined && { path }) };
}
