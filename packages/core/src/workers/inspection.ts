import type { Clock, Logger } from '@octo/plugin-api';
import { type Issue, OctoError } from '../errors/octo-error.ts';
import { excerptOf } from '../manifest/excerpt.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { PluginCode } from '../manifest/package-entry.ts';
import { pointerTo } from '../manifest/pointer.ts';
import { escapeText } from '../observe/escape-text.ts';
import {
  description,
  type Inspected,
  inspected,
  inspectedSteps,
  type PluginDescription,
} from '../wire/brief.ts';
import { inspectionGround } from './ground.ts';
import type { WorkerLimits } from './worker-limits.ts';
import { WorkerProcess } from './worker-process.ts';

export interface InspectionOptions {
  readonly limits: WorkerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks at plugins and steps in a process that can reach nothing and nobody: no network, no file but their code. One plugin
 * after the other, so that the one that ends the process is known; another process goes on with the rest.
 */
export class Inspection implements AsyncDisposable {
  readonly #codes: readonly PluginCode[];
  readonly #options: InspectionOptions;
  #process: WorkerProcess | undefined;

  constructor(codes: readonly PluginCode[], options: InspectionOptions) {
    this.#codes = codes;
    this.#options = options;
  }

  /** What the plugin that `use` names says of itself. @throws OctoError `OCTO_PLUGIN_*`, as `loadPlugin` */
  async description(use: string, entry: string): Promise<PluginDescription> {
    try {
      return description(await this.#ask('describe', [use, entry]), 'describe');
    } catch (error) {
      if (error instanceof OctoError && error.code !== 'OCTO_WORKER_FAILED') throw error;
      throw new OctoError('OCTO_PLUGIN_THREW', failedLoading(use, error));
    }
  }

  /** Loads what `use` names, and holds the configurations of these instances against it. */
  async plugin(
    manifest: Manifest,
    {
      use,
      entry,
      ids,
    }: { readonly use: string; readonly entry: string; readonly ids: readonly string[] },
  ): Promise<Inspected> {
    const excerpt = excerptOf(manifest, { plugins: ids, pipelines: [] });
    try {
      return inspected(await this.#ask('inspect', [excerpt, entry]), 'inspect');
    } catch (error) {
      const sentence = failedLoading(use, error);
      const issues = ids.map((id) =>
        manifest.source.remark('OCTO_PLUGIN_THREW', pointerTo('/plugins', id), sentence),
      );
      return { instances: [], issues };
    }
  }

  /** Builds the steps of a pipeline. */
  async steps(
    manifest: Manifest,
    pipeline: string,
  ): Promise<{ readonly secrets: readonly string[]; readonly issues: readonly Issue[] }> {
    const excerpt = excerptOf(manifest, { plugins: [], pipelines: [pipeline] });
    return inspectedSteps(await this.#ask('inspect-steps', [excerpt, pipeline]), 'inspect-steps');
  }

  async #ask(name: string, args: readonly unknown[]): Promise<unknown> {
    const { clock, limits } = this.#options;
    const worker = await this.#alive();
    const done = new AbortController();
    const watching = clock.sleep(limits.loadMs, done.signal).then(
      () => worker.kill(`did not come to an end within ${limits.loadMs} ms`),
      () => {},
    );
    try {
      return await worker.ask(name, args);
    } finally {
      done.abort();
      await watching;
    }
  }

  async #alive(): Promise<WorkerProcess> {
    if (this.#process?.hasEnded === false) return this.#process;
    const { limits, clock, logger } = this.#options;
    const ground = inspectionGround(this.#codes);
    const memoryBytes = limits.inspectionMemory;
    this.#process = new WorkerProcess({
      ground,
      memoryBytes,
      limits,
      clock,
      logger,
      loggerOf: () => logger,
      answers: {},
      hears: {},
    });
    await this.#process.ready();
    return this.#process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing that would have to be closed.
    this.#process?.kill('was not needed any more');
    await this.#process?.ended;
  }
}

function failedLoading(use: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `'${escapeText(use)}' failed while it was loaded: its process ${why}`;
}
