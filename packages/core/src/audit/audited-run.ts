import { isPluginError } from '@octo/plugin-api';
import type { RunPlace } from '../host/host.ts';
import { describeError } from '../observe/describe-error.ts';
import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { auditedLedger, type Move } from './audited-ledger.ts';
import type { AuditActor, AuditEntry, AuditTrail } from './audit-trail.ts';

export interface AuditedRun {
  readonly pipeline: string;
  readonly actor: AuditActor;
  readonly trace: string | undefined;
}

type Go = (place: RunPlace, signal: AbortSignal) => Promise<RunReport>;

/**
 * One run, written down: that it begins before it begins, what happens at the vendor and to each file, how it ends. When the
 * trail cannot be written any more the run is stopped; the next one takes up what was in flight.
 * @throws OctoError `OCTO_AUDIT_UNAVAILABLE`; whatever the run throws
 */
export async function auditedRun(
  trail: AuditTrail,
  run: AuditedRun,
  place: RunPlace,
  signal: AbortSignal,
  go: Go,
): Promise<RunReport> {
  const notes = new RunNotes(trail, run);
  await notes.record({ action: 'run.begin', target: run.pipeline });
  const onEvent = (event: RunEvent): void => {
    notes.event(event);
    place.onEvent?.(event);
  };
  const audited = { ...place, ledger: auditedLedger(place.ledger, notes), onEvent };
  try {
    const report = await go(audited, AbortSignal.any([signal, notes.broken]));
    await notes.ended(totalsOf(report));
    return report;
  } catch (error) {
    await notes.failed(error);
    throw error;
  }
}

class RunNotes {
  readonly #trail: AuditTrail;
  readonly #run: AuditedRun;
  readonly #broken = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #isListed = false;

  constructor(trail: AuditTrail, run: AuditedRun) {
    this.#trail = trail;
    this.#run = run;
  }

  /** Aborted, with the reason, when something could not be written down. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  note(move: Move, outcome: AuditEntry['outcome'] = 'done'): void {
    const written = this.record(move, outcome).catch(() => {});
    this.#open.add(written);
    void written.then(() => this.#open.delete(written));
  }

  async record(move: Move, outcome: AuditEntry['outcome'] = 'done'): Promise<void> {
    const { pipeline, actor, trace } = this.#run;
    const details = { pipeline, ...move.details };
    try {
      await this.#trail.record({
        ...move,
        actor,
        outcome,
        details,
        ...(trace !== undefined && { trace }),
      });
    } catch (error) {
      this.#broken.abort(error);
      throw error;
    }
  }

  /** What the ledger does not tell. */
  event(event: RunEvent): void {
    if (event.event === 'listed') this.#listed(event);
    if (event.event === 'started')
      this.note({ action: 'file.download', target: event.path, details: { bytes: event.size } });
    if (event.event === 'failed')
      this.note(
        { action: 'file.fail', target: event.path, details: { reason: event.error } },
        'failed',
      );
    if (event.event === 'warning')
      this.note({
        action: 'file.warning',
        target: event.path,
        details: { message: event.message },
      });
  }

  async ended(details: NonNullable<AuditEntry['details']>): Promise<void> {
    await this.#settled();
    await this.record({ action: 'run.end', target: this.#run.pipeline, details });
  }

  async failed(error: unknown): Promise<void> {
    await this.#settled();
    const details = { error: describeError(error), ...typeOf(error) };
    if (!this.#isListed && isPluginError(error))
      await this.record(
        { action: actionAtTheDoor(error.code), target: this.#run.pipeline, details },
        error.type === 'auth' || error.code === 'EGRESS_REFUSED' ? 'denied' : 'failed',
      );
    await this.record({ action: 'run.end', target: this.#run.pipeline, details }, 'failed');
  }

  #listed({ files, bytes, toDeliver }: Extract<RunEvent, { event: 'listed' }>): void {
    const target = this.#run.pipeline;
    if (!this.#isListed) this.note({ action: 'vendor.connect', target });
    this.#isListed = true;
    this.note({ action: 'vendor.list', target, details: { files, bytes, toDeliver } });
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#open);
    this.#broken.signal.throwIfAborted();
  }
}

/** An impostor, and an address that is none of its business, are told apart from a password that is wrong. */
function actionAtTheDoor(code: string | undefined): string {
  if (code === 'EGRESS_REFUSED') return 'vendor.egress';
  return code === 'HOST_KEY_CHANGED' ? 'vendor.host-key' : 'vendor.connect';
}

function typeOf(error: unknown): NonNullable<AuditEntry['details']> {
  const { type, code } = (error ?? {}) as { readonly type?: unknown; readonly code?: unknown };
  return {
    ...(typeof type === 'string' && { type }),
    ...(typeof code === 'string' && { code }),
  };
}

function totalsOf(report: RunReport): NonNullable<AuditEntry['details']> {
  const { discovered, delivered, duplicates, quarantined, failed, pending } = report;
  return {
    discovered,
    delivered: delivered.length,
    bytes: delivered.reduce((sum, { bytes }) => sum + bytes, 0),
    duplicates: duplicates.length,
    quarantined: quarantined.length,
    failed: failed.length,
    pending: pending.length,
  };
}
