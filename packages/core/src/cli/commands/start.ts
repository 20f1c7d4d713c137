import { join } from 'node:path';
import type { Logger } from '@octo/plugin-api';
import { AuditedHost } from '../../audit/audited-host.ts';
import type { Host } from '../../host/host.ts';
import { type Reload, Reloading } from '../../host/reloading.ts';
import { ServedNote } from '../../host/served-note.ts';
import { WorkersNote } from '../../host/workers-note.ts';
import { Timetable } from '../../jobs/timetable.ts';
import type { OpenedLedger } from '../../ledger/open-ledger.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { escapeText } from '../../observe/escape-text.ts';
import type { RunEvent } from '../../pipeline/run-report.ts';
import { commandHint } from '../command-hint.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { structuredEventLog, textEventLog, type EventLog } from '../event-log.ts';
import { exitCodes } from '../exit-code.ts';
import { hostOptions } from '../host-options.ts';
import { createLogger, logSettings } from '../logger-for.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { newRunId } from '../run-id.ts';
import { redactEvent, redactReport } from '../redact-run.ts';
import { structuredReloadLog, textReloadLog } from '../reload-log.ts';
import { scheduledJobs } from '../scheduled-jobs.ts';
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

/** `octo-host start`: every pipeline on its schedule, until a signal; takes a changed manifest on the way. */
export const start: CommandCode = async (args, environment) => {
  const { rooms, env, clock, signal } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const { logger, log, reloadLog } = await logsFor(args, environment);
  const read = () => rooms.readManifest(manifestFile, { env });
  const manifest = await read();
  refuseIdle(manifest);
  await using workersNote = new WorkersNote(stateFolder, logger);
  await using audit = await openAuditOf(args, environment, logger);
  const made = await rooms.createHost(manifest, {
    ...(await hostOptions(args, environment, logger)),
    defects: 'isolate',
    onWorkers: (workers) => workersNote.update(workers),
  });
  await using host = new AuditedHost(made, audit, 'host', logger);
  await using _lock = await rooms.lockHost(stateFolder);
  await using ledger = await rooms.openLedger({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger,
  });
  await host.start(signal);
  const spoolFolder = join(stateFolder, 'spool');
  const running = { host, ledger, logger, log, spoolFolder, environment };
  const sayStopping = () =>
    logger.info({}, 'stopping: no new runs; running ones may take 30 s to finish');
  signal.addEventListener('abort', sayStopping, { once: true });
  const timetable = new Timetable({ clock, graceMs });
  await using note = new ServedNote(stateFolder, logger);
  await note.update(host.manifest);
  serve(running, timetable);
  const tell = async (reload: Reload) => {
    if (reload.outcome === 'applied') await note.update(host.manifest);
    reloadLog(reload);
    if (reload.outcome === 'applied') serve(running, timetable);
  };
  const reloading = new Reloading({ host, read, clock, tell, signal });
  using _hangups = environment.onHangup(() => void reloading.reload());
  const look = () => reloading.look();
  await using _watch = flag(args, 'no-watch')
    ? undefined
    : await rooms.watchManifest({ file: manifestFile, clock, logger, look });
  await timetable.until(signal);
  logger.info({}, 'stopped');
  return exitCodes.allWell;
};

async function logsFor(args: Args, environment: Environment) {
  const { stderr, env } = environment;
  const settings = logSettings(args, environment, {
    format: stderr.isTerminal ? 'text' : 'json',
    level: 'info',
  });
  const logger = await createLogger(settings, environment);
  const hint = (path: string) => commandHint(['files', 'show', path], args, env);
  return settings.format === 'text'
    ? { logger, log: textEventLog(environment, hint), reloadLog: textReloadLog(logger) }
    : { logger, log: structuredEventLog(logger), reloadLog: structuredReloadLog(logger) };
}

/** @throws UsageError when no pipeline is enabled and has a schedule */
function refuseIdle({ pipelines, file }: Manifest): void {
  const hasSchedule = [...pipelines.values()].some(
    ({ enabled, schedule, everyMs }) => enabled && (schedule ?? everyMs) !== undefined,
  );
  if (hasSchedule) return;
  throw new UsageError(
    `no pipeline of ${escapeText(file)} is enabled and has "schedule" or "every": nothing to start`,
    'octo-host run <pipeline>',
  );
}

/** Puts the timetable on the manifest that the host serves now. */
function serve(running: Running, timetable: Timetable): void {
  const { host, logger, environment } = running;
  const { redact } = environment.redactor;
  const run = (id: string, own: Logger, signal: AbortSignal) =>
    runOnce(id, { ...running, logger: own }, signal);
  const { jobs, unscheduled } = scheduledJobs(host.manifest, logger, redact, run);
  for (const id of unscheduled)
    logger.warn({ pipeline: id }, 'pipeline has no schedule and runs only by hand');
  timetable.follow(jobs);
}

async function runOnce(id: string, running: Running, signal: AbortSignal): Promise<void> {
  const { host, ledger, logger, log, spoolFolder, environment } = running;
  const { clock, random, redactor } = environment;
  const began = clock.monotonic();
  const onEvent = (event: RunEvent) => log.event(id, redactEvent(event, redactor.redact));
  const trace = newRunId(environment);
  const report = await host.run(
    id,
    { ledger: ledger.withRun(trace), trace, clock, random, logger, spoolFolder, onEvent },
    signal,
  );
  log.finished(redactReport(report, redactor.redact), clock.monotonic() - began);
}
