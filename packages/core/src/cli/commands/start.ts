import type { Logger } from '@octo/plugin-api';
import { join } from 'node:path';
import type { Host } from '../../host/host.ts';
import { runScheduled, type Job } from '../../jobs/run-scheduled.ts';
import { scheduleOf, type Schedule } from '../../jobs/schedule.ts';
import type { OpenedLedger } from '../../ledger/open-ledger.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { childLogger } from '../../observe/child-logger.ts';
import { escapeText } from '../../observe/escape-text.ts';
import type { RunEvent } from '../../pipeline/run-report.ts';
import { commandHint } from '../command-hint.ts';
import type { CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { structuredEventLog, textEventLog, type EventLog } from '../event-log.ts';
import { exitCodes } from '../exit-code.ts';
import { createLogger, logSettings } from '../logger-for.ts';
import { newRunId } from '../run-id.ts';
import { redactEvent, redactReport } from '../redact-run.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** Running jobs may go on for so long after SIGTERM. */
const graceMs = 30_000;

interface Running {
  readonly host: Host;
  readonly ledger: OpenedLedger;
  readonly logger: Logger;
  readonly log: EventLog;
  readonly spoolFolder: string;
  readonly environment: Environment;
}

/** `octo-host start`: every pipeline on its schedule, until a signal. */
export const start: CommandCode = async (args, environment) => {
  const { rooms, env, clock, redactor, signal, stderr } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const settings = logSettings(args, environment, {
    format: stderr.isTerminal ? 'text' : 'json',
    level: 'info',
  });
  const logger = await createLogger(settings, environment);
  const hint = (path: string) => commandHint(['files', 'show', path], args, env);
  const log =
    settings.format === 'text' ? textEventLog(environment, hint) : structuredEventLog(logger);
  const manifest = await rooms.readManifest(manifestFile, { env });
  const timetable = timetableOf(manifest, logger);
  await using host = await rooms.createHost(manifest, {
    logger,
    clock,
    stateFolder,
    stepKinds: await rooms.stepKinds(),
    redactor,
  });
  await using _lock = await rooms.lockHost(stateFolder);
  await using ledger = await rooms.openLedger({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger,
  });
  await host.start(signal);
  const running = {
    host,
    ledger,
    logger,
    log,
    spoolFolder: join(stateFolder, 'spool'),
    environment,
  };
  const jobs = timetable.map(({ id, schedule }): Job => {
    const own = childLogger(logger, { pipeline: id }, redactor.redact);
    own.info({ schedule: schedule.text }, 'pipeline scheduled');
    const run = (signal: AbortSignal) => runOnce(id, { ...running, logger: own }, signal);
    return { schedule, logger: own, run };
  });
  const sayStopping = () =>
    logger.info({}, 'stopping: no new runs; running ones may take 30 s to finish');
  signal.addEventListener('abort', sayStopping, { once: true });
  await runScheduled(jobs, { clock, graceMs }, signal);
  logger.info({}, 'stopped');
  return exitCodes.allWell;
};

/** The enabled pipelines that have a schedule. @throws UsageError when there is none */
function timetableOf(
  { pipelines, file }: Manifest,
  logger: Logger,
): { readonly id: string; readonly schedule: Schedule }[] {
  const enabled = [...pipelines.values()].filter((pipeline) => pipeline.enabled);
  const timetable = enabled.flatMap((config) => {
    const schedule = scheduleOf(config);
    if (schedule !== undefined) return [{ id: config.id, schedule }];
    logger.warn({ pipeline: config.id }, 'pipeline has no schedule and runs only by hand');
    return [];
  });
  if (timetable.length > 0) return timetable;
  throw new UsageError(
    `no pipeline of ${escapeText(file)} is enabled and has "schedule" or "every": nothing to start`,
    'octo-host run <pipeline>',
  );
}

async function runOnce(id: string, running: Running, signal: AbortSignal): Promise<void> {
  const { host, ledger, logger, log, spoolFolder, environment } = running;
  const { rooms, clock, random, redactor } = environment;
  const began = clock.monotonic();
  const onEvent = (event: RunEvent) => log.event(id, redactEvent(event, redactor.redact));
  const report = await rooms.runPipeline(
    host.pipeline(id),
    { ledger: ledger.withRun(newRunId(environment)), clock, random, logger, spoolFolder, onEvent },
    signal,
  );
  log.finished(redactReport(report, redactor.redact), clock.monotonic() - began);
}
