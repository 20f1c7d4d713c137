import type { DeliveredFile, RemoteFile } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import type { RunContext } from './run-context.ts';

const TIDY_AT_MOST = 1000;

/** After the commit: the vendor's side, the provider's own comparison, and what people should hear about. */
export async function finishDelivered(
  context: RunContext,
  { delivery, clean }: { readonly delivery: Delivery; readonly clean: boolean },
  file: RemoteFile,
  signal: AbortSignal,
): Promise<void> {
  if (!clean) await cleanUp(context, delivery.id, file, signal);
  const warnings = delivery.facts['warnings'];
  if (Array.isArray(warnings))
    for (const message of warnings) context.report.warning(delivery.path, String(message));
  await reconcile(context, delivery);
}

/** Moves or deletes at the vendor what earlier runs committed and did not get to clean. */
export async function tidyVendor(context: RunContext, signal: AbortSignal): Promise<void> {
  for (const delivery of await context.ledger.uncleaned(context.scope, TIDY_AT_MOST)) {
    const { id, path, name, size, mtimeMs, location } = delivery;
    await cleanUp(context, id, { path, name, size, mtimeMs, location }, signal);
  }
}

/** The delivery is safe whatever happens here; what fails is tried again by the next run. */
async function cleanUp(
  context: RunContext,
  id: string,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<void> {
  const { vendor, ledger, report } = context;
  try {
    const done = await vendor.ask('clean up', signal, async (session, inner) => {
      return await session.done?.(file, id, inner);
    });
    await ledger.cleaned(id, done?.location);
  } catch (error) {
    signal.throwIfAborted();
    report.warning(
      file.path,
      `delivered, but the vendor's copy could not be cleaned up: ${(error as Error).message}; the next run tries again`,
    );
  }
}

async function reconcile(context: RunContext, delivery: Delivery): Promise<void> {
  const { pipeline, ledger, scope, report } = context;
  if (delivery.group === undefined || pipeline.provider.reconcile === undefined) return;
  const deliveries = await ledger.group(scope, delivery.group);
  const files: DeliveredFile[] = deliveries.map(({ path, name, facts }) => ({ path, name, facts }));
  for (const finding of pipeline.provider.reconcile(files)) {
    report.finding(delivery.path, finding);
    await ledger.note(delivery.id, 'finding', finding);
  }
}
