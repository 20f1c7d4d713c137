import { join } from 'node:path';
import type { Logger } from '@octo/plugin-api';
import { AuditedHost } from '../../audit/audited-host.ts';
import type { Host } from '../../host/host.ts';
import { type Reload, Reloading } from '../../host/reloading.ts';
import { ServedNote } from '../../host/served-note.ts';
import { WorkersNote } from '../../host/workers-note.ts';
import { Dispatcher } from '../../jobs/dispatcher.ts';
import { Scheduler } from '../../jobs/scheduler.ts';
import {
  HOST_FLAGS,
  type HostFlags,
  type HostSettings,
  hostSettings,
} from '../../manifest/host-settings.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import type { Plan } from '../../manifest/plan.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { Pacing } from '../../policy/pacing.ts';
import { askAt } from '../ask-at.ts';
import { commandHint } from '../command-hint.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { structuredEventLog, textEventLog } from '../event-log.ts';
import { exitCodes } from '../exit-code.ts';
import { guardOf } from '../guard-of.ts';
import { hostOptions } from '../host-options.ts';
import { createLogger, logSettings } from '../logger-for.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { structuredReloadLog, textReloadLog } from '../reload-log.ts';
import { type Running, runQueued } from '../queued-run.ts';
import { runCountsFor } from '../run-counts.ts';
import { serveApi } from '../serve-api.ts';
import { secretStoresOf } from '../secret-stores-of.ts';
import { servedPipelines } from '../served-pipelines.ts';
import { tracesFor } from '../traces-for.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** Runs may go on for so long after SIGTERM. */
const graceMs = 20_000;
const dayMs = 86_400_000;

/**
 * `octo-host start`: every pipeline on its schedule and whatever else is in the queue, until a signal; takes a changed
 * manifest on the way.
 */
export const start: CommandCode = async (args, environment) => {
  const { rooms, env, cwd, clock, signal } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const { logger, log, reloadLog } = await logsFor(args, environment);
  const secrets = await rooms.secretSource({ env, cwd, stateFolder, ask: askAt(environment) });
  const stores = await secretStoresOf(args, environment);
  const read = () => rooms.readManifest(manifestFile, { env, secrets, stores, sealed: 'hold' });
  const manifest = await read();
  const settings = settingsOf(manifest, env, settingFlags(args));
  if (settings.api === undefined) refuseIdle(manifest);
  const counts = await runCountsFor(settings);
  await using workersNote = new WorkersNote(stateFolder, logger);
  await using audit = await openAuditOf(args, environment, logger);
  const pacing = new Pacing(clock, logger);
  const made = await rooms.createHost(manifest, {
    ...(await hostOptions(args, environment, logger)),
    defects: 'isolate',
    pace: pacing.take,
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
  await using _notifying = await notifying(host, args, logger, environment);
  const spoolFolder = join(stateFolder, 'spool');
  const hostName = await rooms.hostName(stateFolder);
  await using traces = await tracesFor(settings, hostName, logger, environment);
  await using queue = await rooms.openRuns({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    clock,
    logger,
    host: hostName,
  });
  await queue.arrive();
  await using policies = await rooms.openPolicy({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger,
  });
  const { metrics } = counts;
  pacing.use({ ...policies, rateOf: (id) => host.manifest.plugins.get(id)?.policy.rate });
  const guard = guardOf({ ...policies, audit, logger, metrics, actor: 'host' }, environment);
  const running = { host, ledger, guard, logger, log, counts, traces, spoolFolder, environment };
  const sayStopping = () =>
    logger.info({}, 'stopping: no new runs; running ones may take 20 s to finish');
  signal.addEventListener('abort', sayStopping, { once: true });
  const { random, redactor } = environment;
  const scheduler = new Scheduler({ queue, clock, logger });
  const dispatcher = new Dispatcher({
    queue,
    clock,
    logger,
    random,
    redact: redactor.redact,
    onEnd: (run) => counts.ended(run),
    graceMs,
    keepMs: settings.retentionDays * dayMs,
    run: (run, tell, signal) => runQueued(run, running, tell, signal),
  });
  await using note = new ServedNote(stateFolder, logger);
  await note.update(host.manifest);
  serve(running, scheduler, dispatcher);
  const tell = async (reload: Reload) => {
    if (reload.outcome === 'applied') await note.update(host.manifest);
    reloadLog(reload);
    counts.reloaded(reload.outcome);
    if (reload.outcome === 'applied') await guard.forget(changedPlugins(reload.plan));
    if (reload.outcome === 'applied') serve(running, scheduler, dispatcher);
  };
  const reloading = new Reloading({ host, read, secrets, stores, clock, tell, signal });
  using _hangups = environment.onHangup(() => void reloading.reload());
  const look = () => reloading.look();
  await using _watch = flag(args, 'no-watch')
    ? undefined
    : await rooms.watchManifest({ file: manifestFile, clock, logger, look });
  const served = {
    settings,
    secrets,
    // What is only tried must not make the host forget what it knows.
    stores: await secretStoresOf(args, environment),
    metrics,
    host,
    runs: queue,
    ledger,
    audit,
    breakers: policies.breakers,
    reloading,
    logger,
  };
  await using _api = await serveApi(served, args, environment);
  await Promise.all([scheduler.keep(signal), dispatcher.until(signal)]);
  logger.info({}, 'stopped');
  return exitCodes.allWell;
};

/** Those that are others now: what is known of the ones before says nothing of them. */
function changedPlugins({ plugins }: Plan): readonly string[] {
  const isAnother = (key: string): boolean => !key.startsWith('policy/');
  return plugins.started
    .filter(({ why, keys }) => why === 'new' || keys.some(isAnother))
    .map(({ id }) => id);
}

/** A flag for each setting, by the same name. */
function settingFlags(args: Args): HostFlags {
  return Object.fromEntries(HOST_FLAGS.map((name) => [name, stringOption(args, name)]));
}

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

/** An API whose settings wait for a secret is not served with others. */
function settingsOf(manifest: Manifest, ...more: SettingsOf): HostSettings {
  const { api, ...rest } = hostSettings(manifest.host, ...more);
  const isHeld = manifest.held?.has('/host/api') === true;
  return isHeld || api === undefined ? rest : { ...rest, api };
}

type SettingsOf = Parameters<typeof hostSettings> extends [unknown, ...infer R] ? R : never;

/** @throws UsageError when no pipeline is enabled and has a schedule */
function refuseIdle({ pipelines, held, file }: Manifest): void {
  // What waits for a secret may have one.
  if (held !== undefined && held.size > 0) return;
  const hasSchedule = [...pipelines.values()].some(
    ({ enabled, schedule, everyMs }) => enabled && (schedule ?? everyMs) !== undefined,
  );
  if (hasSchedule) return;
  throw new UsageError(
    `no pipeline of ${escapeText(file)} is enabled and has "schedule" or "every": nothing to start`,
    'octo-host run <pipeline>',
  );
}

/** Tells the webhooks of the manifest that the host began with, for as long as it runs. */
async function notifying(
  host: Host,
  args: Args,
  logger: Logger,
  environment: Environment,
): Promise<AsyncDisposable> {
  const { rooms, env, clock, random, redactor } = environment;
  const webhooks = [...(host.manifest.webhooks?.values() ?? [])];
  redactor.add(webhooks.flatMap(({ url, secret }) => [url, secret]));
  return await rooms.openNotifying({
    webhooks,
    pipelines: () => host.manifest.pipelines.values(),
    stateFolder: workplaceOf(args, environment).stateFolder,
    databaseUrl: env['DATABASE_URL'],
    clock,
    random,
    logger,
  });
}

/** Puts schedules and queue on the manifest that the host serves now. */
function serve(running: Running, scheduler: Scheduler, dispatcher: Dispatcher): void {
  const { host, logger, environment } = running;
  const { served, timed, unscheduled } = servedPipelines(
    host.manifest,
    logger,
    environment.redactor.redact,
  );
  for (const id of unscheduled)
    logger.warn({ pipeline: id }, 'pipeline has no schedule and runs only by hand');
  dispatcher.serve(served);
  scheduler.follow(timed);
}
