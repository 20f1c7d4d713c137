import type { Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Host, RunPlace } from '../host/host.ts';
import type { Instance } from '../host/instance.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type Changes, isEmptyPlan, type Plan, planChange } from '../manifest/plan.ts';
import { describeError } from '../observe/describe-error.ts';
import type { RunReport } from '../pipeline/run-report.ts';
import { actorNamed } from './actor.ts';
import { auditedRun } from './audited-run.ts';
import { type Beginning, usedSecrets } from './used-secrets.ts';
import type { AuditActor, AuditEntry, AuditTrail } from './audit-trail.ts';

/** A host that writes down what it does. Whoever asks it for a run or another manifest asks this one. */
export class AuditedHost implements Host {
  readonly #host: Host;
  readonly #trail: AuditTrail;
  readonly #actor: AuditActor;
  readonly #logger: Logger;
  readonly #refusals = new Set<string>();
  #isRunning = false;

  /**
   * `actor` is who asks when nobody says so, in the spelling of {@link actorNamed}; `host` for one that runs by itself, whose
   * start and stop are written down, too.
   */
  constructor(host: Host, trail: AuditTrail, actor: string, logger: Logger) {
    this.#host = host;
    this.#trail = trail;
    this.#actor = actorNamed(actor);
    this.#logger = logger;
  }

  get manifest(): Manifest {
    return this.#host.manifest;
  }

  get instances(): ReadonlyMap<string, Instance> {
    return this.#host.instances;
  }

  get redact(): (text: string) => string {
    return this.#host.redact;
  }

  /** @throws as any host; OctoError `OCTO_AUDIT_UNAVAILABLE`, and then the run waits for its next time */
  async run(id: string, place: RunPlace, signal: AbortSignal): Promise<RunReport> {
    const actor = place.by === undefined ? this.#actor : actorNamed(place.by);
    const run = { pipeline: id, actor, trace: place.trace };
    return await auditedRun(this.#trail, run, place, signal, (audited, either) =>
      this.#host.run(id, audited, either),
    );
  }

  /** @throws as any host; OctoError `OCTO_AUDIT_UNAVAILABLE`, and then nothing was changed */
  async apply(manifest: Manifest, signal: AbortSignal): Promise<Plan> {
    const wanted = planChange(this.manifest, manifest);
    if (!isEmptyPlan(wanted)) {
      await this.#record('manifest.change', 'done', diffOf(wanted));
      const ids = ({ started }: Changes) => started.map(({ id }) => id);
      const begun = { plugins: ids(wanted.plugins), pipelines: ids(wanted.pipelines), host: false };
      await this.#tellSecrets(manifest, begun);
    }
    try {
      const plan = await this.#host.apply(manifest, signal);
      if (!isEmptyPlan(plan)) await this.#applied(plan);
      return plan;
    } catch (error) {
      await this.#refused(error);
      throw error;
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    const { plugins, pipelines } = this.manifest;
    this.#isRunning = this.#actor.kind === 'host';
    const details = { plugins: plugins.size, pipelines: pipelines.size };
    if (this.#isRunning) await this.#record('host.start', 'done', details);
    await this.#tellWeak([...plugins.keys()]);
    await this.#tellSecrets(this.manifest, {
      plugins: [...plugins.keys()],
      pipelines: [...pipelines.keys()],
      host: this.#isRunning,
    });
    await this.#host.start(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await this.#record('host.stop', 'done').catch((error: unknown) =>
      this.#logger.error({ reason: describeError(error) }, 'the end of the host was not recorded'),
    );
  }

  async #applied(plan: Plan): Promise<void> {
    this.#refusals.clear();
    // What was changed is on disk already; that it has come about must not undo it.
    await this.#record('manifest.apply', 'done', diffOf(plan)).catch((error: unknown) =>
      this.#logger.error({ reason: describeError(error) }, 'a reload was not recorded'),
    );
    await this.#tellWeak(plan.plugins.started.map(({ id }) => id));
  }

  /** Once for each reason: a refused manifest is tried again by itself. */
  async #refused(error: unknown): Promise<void> {
    const reason = describeError(error);
    if (this.#refusals.has(reason)) return;
    this.#refusals.add(reason);
    const issues = error instanceof OctoError ? error.issues.length : 1;
    await this.#record('manifest.apply', 'failed', { reason, issues });
  }

  /** What an operator has weakened for one vendor is no secret of the configuration. */
  async #tellWeak(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const config = this.manifest.plugins.get(id)?.config as { legacyAlgorithms?: unknown };
      if (config?.legacyAlgorithms !== true) continue;
      this.#logger.warn({ plugin: id }, 'old algorithms are allowed for this vendor');
      await this.#record('vendor.legacy-algorithms', 'done', {}, id);
    }
  }

  /** Before anything that uses them begins. */
  async #tellSecrets(manifest: Manifest, beginning: Beginning): Promise<void> {
    for (const [name, places] of usedSecrets(manifest, beginning))
      await this.#record('secrets.use', 'done', { places: places.join(', ') }, name);
  }

  async #record(
    action: string,
    outcome: AuditEntry['outcome'],
    details: NonNullable<AuditEntry['details']> = {},
    target: string = this.manifest.file,
  ): Promise<void> {
    await this.#trail.record({ action, actor: this.#actor, outcome, target, details });
  }
}

/** Names only, never a value. */
function diffOf({ plugins, pipelines }: Plan): NonNullable<AuditEntry['details']> {
  return { ...changesOf('plugins', plugins), ...changesOf('pipelines', pipelines) };
}

function changesOf(
  what: string,
  { kept, started, retired }: Changes,
): NonNullable<AuditEntry['details']> {
  const begun = started.map(({ id, why, keys }) =>
    keys.length === 0 ? `${id} (${why})` : `${id} (${why}: ${keys.join(' ')})`,
  );
  return {
    [`${what}.kept`]: kept.length,
    ...(begun.length > 0 && { [`${what}.started`]: begun.join(', ') }),
    ...(retired.length > 0 && { [`${what}.retired`]: retired.join(', ') }),
  };
}
