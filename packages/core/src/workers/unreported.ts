import type { Delivery } from '../ledger/delivery.ts';
import type { RunOptions } from '../pipeline/run-pipeline.ts';
import type { RunEvent } from '../pipeline/run-report.ts';
import type { ReportPart } from '../wire/run-shapes.ts';

/**
 * What a process that died would have reported of these deliveries, as the ledger has them; tells what it did not come to
 * tell.
 */
export async function unreported(
  { ledger, onEvent }: Pick<RunOptions, 'ledger' | 'onEvent'>,
  ids: readonly string[],
  told: ReadonlySet<string>,
): Promise<ReportPart> {
  const rows = (await Promise.all(ids.map((id) => ledger.find(id)))).filter(
    (row) => row !== undefined,
  );
  for (const row of rows)
    if (!told.has(row.id)) for (const event of eventsOf(row)) onEvent?.(event);
  return {
    delivered: rows.flatMap(deliveredOf),
    duplicates: rows.flatMap(({ path, duplicateOf: of }) =>
      of === undefined ? [] : [{ path, of }],
    ),
    quarantined: rows.flatMap(quarantinedOf),
  };
}

function eventsOf(row: Delivery): RunEvent[] {
  const { id: delivery, path, duplicateOf: of } = row;
  return [
    ...deliveredOf(row).map(
      ({ key, bytes }) => ({ event: 'delivered', path, key, bytes, delivery }) as const,
    ),
    ...(of === undefined ? [] : [{ event: 'duplicate', path, of, delivery } as const]),
    ...quarantinedOf(row).map(
      ({ reason }) => ({ event: 'quarantined', path, reason, delivery }) as const,
    ),
  ];
}

function deliveredOf({ state, path, objectKey: key, verified }: Delivery) {
  if (state !== 'COMMITTED' && state !== 'CLEANED') return [];
  if (key === undefined || verified === undefined) return [];
  return [{ path, key, bytes: verified.plainBytes, sha256: verified.plainSha256.toString('hex') }];
}

function quarantinedOf({ state, path, reason }: Delivery) {
  return state === 'QUARANTINED' && reason !== undefined ? [{ path, reason }] : [];
}
