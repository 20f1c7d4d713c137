import type { Sink } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { RunLedger } from '../ledger/ledger.ts';
import { collectEarly } from './collect-early.ts';
import { deliverAll } from './deliver-all.ts';
import { Listing } from './listing.ts';
import { ReportBuilder } from './report-builder.ts';
import type { Pipeline, RunContext, RunOptions } from './run-context.ts';
import type { RunReport } from './run-report.ts';
import { Spool } from './spool.ts';
import { sweep } from './sweep.ts';
import { Vendor } from './vendor.ts';
import { tidyVendor } from './vendor-side.ts';

export type { Narrowing } from './narrowing.ts';
export type { Pipeline, RunOptions } from './run-context.ts';

/**
 * One run: finish what earlier runs left at the vendor, list, deliver what is new, wait for files that are not settled
 * yet and look once more, sweep. Resolves with the report whatever happened to single files.
 * @throws PluginError when the vendor could not be reached or refused the login; errors of the ledger's database;
 *   the signal's reason
 */
export async function runPipeline(
  pipeline: Pipeline,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunReport> {
  collectEarly();
  const { config, provider, providerPolicy: policy, sink, pace } = pipeline;
  const report = new ReportBuilder(config.id, options.onEvent ?? (() => {}));
  const scope = { pipeline: config.id, sink: sink.place };
  await using _lock = await soleWriter(sink, options.ledger);
  await using spool = new Spool(options.spoolFolder);
  await using vendor = new Vendor({ ...options, provider, policy, pace });
  const context = { ...options, pipeline, vendor, report, scope, spool };
  await deliverListed(context, signal);
  await sweep(context, signal);
  return report.finish();
}

async function deliverListed(context: RunContext, signal: AbortSignal): Promise<void> {
  context.report.event({ event: 'connecting' });
  const began = context.clock.monotonic();
  await context.vendor.session(signal);
  context.report.connected(Math.round(context.clock.monotonic() - began));
  context.report.event({ event: 'connected' });
  await tidyVendor(context, signal);
  const listing = new Listing(context);
  const unsettled = await listing.look(signal);
  await deliverAll(context, listing, signal);
  if (unsettled.count > 0) {
    context.report.event({
      event: 'waiting',
      path: '',
      reason: `${unsettled.count} file${unsettled.count === 1 ? '' : 's'} may still be growing; each must stay the same for a while`,
      forMs: unsettled.forMs,
    });
    await context.clock.sleep(unsettled.forMs, signal);
    await listing.look(signal);
    await deliverAll(context, listing, signal);
  }
  await listing.reportPending();
}

async function soleWriter(sink: Sink, ledger: RunLedger): Promise<AsyncDisposable | undefined> {
  if (sink.commits === 'conditional') return undefined;
  const lock = await ledger.lockPlace(sink.place);
  if (lock === undefined)
    throw new OctoError(
      'OCTO_SINK_BUSY',
      `another process writes to ${sink.place}, which takes one writer at a time because it cannot commit conditionally; run again when it is done`,
    );
  return lock;
}
