import { PluginError, type RemoteFile } from '@octo/plugin-api';
import type { Delivery, SourceVersion } from '../ledger/delivery.ts';
import { deliveryId } from '../ledger/delivery-id.ts';
import type { Discovery } from '../ledger/ledger.ts';
import { isNarrow, isWithin } from './narrowing.ts';
import { objectKey } from './object-key.ts';
import type { RunContext } from './run-context.ts';
import { nameAfter } from './through-steps.ts';

const OPEN = ['DISCOVERED', 'CLAIMED', 'STREAMING', 'VERIFIED', 'WAITING'] as const;
const isOpen = ({ state }: Delivery): boolean => OPEN.some((one) => one === state);
/** The database's clock decides what is settled; ours may run a little ahead of it. */
const CLOCK_SLACK_MS = 250;

/** What the vendor offers, and what of it the ledger has to know about. */
export class Listing {
  readonly #context: RunContext;
  readonly #files = new Map<string, RemoteFile>();
  #unsettled: readonly RemoteFile[] = [];
  #toDeliver: readonly string[] | undefined;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** The listed file of a delivery. */
  file(deliveryId: string): RemoteFile | undefined {
    return this.#files.get(deliveryId);
  }

  /** In a narrowed run the deliveries that it is about, as of the last look; otherwise `undefined`: all that are open. */
  get toDeliver(): readonly string[] | undefined {
    return this.#toDeliver;
  }

  /**
   * Lists, sets aside what must not be opened, and records what is stable. Answers what is not stable yet, and how long
   * that takes at the least.
   */
  async look(signal: AbortSignal): Promise<{ readonly count: number; readonly forMs: number }> {
    const { ledger, scope, report, pipeline, clock } = this.#context;
    const began = clock.monotonic();
    const files = await this.#list(signal);
    const listMs = Math.round(clock.monotonic() - began);
    const stable = await this.#stable(files);
    await this.#refuse(files.filter((file) => file.refused !== undefined));
    const discoveries = stable.flatMap((file) => this.#discovery(file) ?? []);
    const found = await ledger.discover(scope, discoveries);
    const fresh = [...found.added, ...found.reopened];
    if (isNarrow(this.#context.only ?? {}))
      this.#toDeliver = [...fresh, ...found.known.filter(isOpen)].map(({ id }) => id);
    const open = this.#toDeliver?.length ?? (await ledger.countOpen(scope));
    const bytes = fresh.reduce((sum, { size }) => sum + size, 0);
    report.listed({ files: files.length, bytes, toDeliver: open, listMs });
    this.#unsettled = files.filter((file) => file.refused === undefined && !stable.includes(file));
    return { count: this.#unsettled.length, forMs: settleMs(pipeline) + CLOCK_SLACK_MS };
  }

  /** Says what this run leaves for a later one. */
  async reportPending(): Promise<void> {
    const { ledger, scope, report } = this.#context;
    for (const file of this.#unsettled) report.pending(file.path, 'it may still be growing');
    const open = await ledger.list({ pipeline: scope.pipeline, states: OPEN, limit: 1000 });
    const isMeant = isWithin(this.#context.only ?? {});
    for (const delivery of open) {
      if (delivery.sink === scope.sink && isMeant(delivery) && !report.knows(delivery.path))
        report.pending(delivery.path, pendingReason(delivery));
    }
  }

  async #list(signal: AbortSignal): Promise<RemoteFile[]> {
    const { vendor, pipeline, scope } = this.#context;
    const { maxFiles } = pipeline.config.limits;
    const files = await vendor.ask('list', signal, async (session, inner) => {
      const listed: RemoteFile[] = [];
      for await (const file of session.list(inner)) {
        if (listed.push(file) > maxFiles) throw tooMany(maxFiles);
      }
      return listed;
    });
    const isMeant = isWithin(this.#context.only ?? {});
    const own = files.filter(
      (file) => isMeant(file) && file.archivedFor !== deliveryId(scope, version(file)),
    );
    this.#files.clear();
    for (const file of own) this.#files.set(deliveryId(scope, version(file)), file);
    return own;
  }

  /** Those whose size and mtime have been seen to stay the same for long enough, or that are known to be complete. */
  async #stable(files: readonly RemoteFile[]): Promise<RemoteFile[]> {
    const { ledger, scope, pipeline } = this.#context;
    const openable = files.filter((file) => file.refused === undefined);
    const ms = settleMs(pipeline);
    if (ms === 0) return openable;
    const unsure = openable.filter((file) => file.complete !== true);
    const settled = await ledger.sight(scope, unsure.map(version), ms);
    return openable.filter(
      (file) => file.complete === true || settled.has(deliveryId(scope, version(file))),
    );
  }

  async #refuse(files: readonly RemoteFile[]): Promise<void> {
    if (files.length === 0) return;
    const { ledger, scope, report } = this.#context;
    const refused = files.map((file) => ({ ...version(file), reason: file.refused! }));
    for (const delivery of await ledger.refuse(scope, refused))
      report.quarantined(delivery.path, delivery.reason ?? 'refused', { delivery: delivery.id });
  }

  #discovery(file: RemoteFile): Discovery | undefined {
    const { pipeline, report } = this.#context;
    const { config, steps } = pipeline;
    try {
      const name = nameAfter(steps, file.name);
      const key = objectKey(config.key, { pipeline: config.id, provider: config.from, file, name });
      return { ...version(file), key, ...(file.group !== undefined && { group: file.group }) };
    } catch (error) {
      report.failed(file.path, (error as Error).message, false);
      return undefined;
    }
  }
}

/** The part of a listed file that identifies it, and where its bytes lie. */
function version(file: RemoteFile): SourceVersion {
  const { path, name, size, mtimeMs, location = path } = file;
  return { path, name, size, mtimeMs, location };
}

function settleMs(pipeline: RunContext['pipeline']): number {
  return Math.max(pipeline.provider.settleMs, pipeline.config.settleMs ?? 0);
}

function pendingReason(delivery: Delivery): string {
  if (delivery.state === 'WAITING')
    return `delivery ${delivery.waitingOn} has the same content in hands`;
  if (delivery.leaseUntil !== undefined)
    return `in the hands of ${delivery.owner ?? 'another process'}`;
  return delivery.reason ?? 'not delivered yet';
}

function tooMany(maxFiles: number): PluginError {
  return new PluginError(
    'integrity',
    `the vendor lists more than ${maxFiles} files; narrow the pattern, or raise limits.maxFiles`,
    { code: 'LISTING_LIMIT' },
  );
}
