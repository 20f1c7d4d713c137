import { join } from 'node:path';
import { AuditedHost } from '../../audit/audited-host.ts';
import { enabledPipeline } from '../../host/cannot-run.ts';
import { Pacing } from '../../policy/pacing.ts';
import type { RunEvent, RunReport } from '../../pipeline/run-report.ts';
import type { Args, CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { errorText } from '../explain-error.ts';
import { beside } from '../beside.ts';
import { guardOf } from '../guard-of.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { narrowManifest } from '../narrow-manifest.ts';
import { narrowingOf } from '../narrowing-of.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { operatorName } from '../operator.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { newRunId } from '../run-id.ts';
import { redactEvent, redactReport } from '../redact-run.ts';
import { runDisplay, type RunDisplay } from '../run-display.ts';
import { emptyReport } from '../run-result.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host run <pipeline>`: one run, shown while it goes on. */
export const run: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { clock, redactor } = environment;
  await using display = runDisplay(args, environment);
  const began = clock.monotonic();
  try {
    const report = redactReport(await runOnce(id, args, environment, display), redactor.redact);
    display.report(report, clock.monotonic() - began);
    return exitCodeOfRun(report);
  } catch (error) {
    display.report(emptyReport(id), clock.monotonic() - began, redactor.redact(errorText(error)));
    throw error;
  }
};

async function runOnce(
  id: string,
  args: Args,
  environment: Environment,
  display: RunDisplay,
): Promise<RunReport> {
  const { rooms, env, clock, redactor, signal } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const only = narrowingOf(args);
  const logger = await quietLogger(args, environment);
  const manifest = narrowManifest(await readManifestOf(args, environment, 'hold'), id);
  enabledPipeline(manifest, id);
  const pacing = new Pacing(clock, logger);
  const options = { ...(await hostOptions(args, environment, logger)), pace: pacing.take };
  // The plugins are looked at while audit log and database are opened.
  await using hosts = beside(rooms.createHost(manifest, options));
  await using audit = await openAuditOf(args, environment, logger);
  const trace = newRunId(environment);
  const place = { stateFolder, databaseUrl: env['DATABASE_URL'], logger };
  await using ledgers = beside(rooms.openLedger({ ...place, run: trace }));
  await using books = beside(ledgers.opened.then(() => rooms.openPolicy(place)));
  await using host = new AuditedHost(await hosts.opened, audit, operatorName(env), logger);
  const ledger = await ledgers.opened;
  const policies = await books.opened;
  const rateOf = (instance: string) => manifest.plugins.get(instance)?.policy.rate;
  pacing.use({ ...policies, rateOf });
  const actor = operatorName(env);
  const guard = guardOf({ ...policies, audit, logger, actor, byHand: true }, environment);
  await host.start(signal);
  return await guard.run({ manifest, pipeline: id, byHand: true }, signal, (hear, either) => {
    const onEvent = (event: RunEvent): void => {
      hear(event);
      display.event(redactEvent(event, redactor.redact));
    };
    const spoolFolder = join(stateFolder, 'spool');
    const { random } = environment;
    return host.run(
      id,
      { ledger, trace, clock, random, logger, spoolFolder, onEvent, only },
      either,
    );
  });
}
