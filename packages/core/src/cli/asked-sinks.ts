import type { Host } from '../host/host.ts';
import type { Instance } from '../host/instance.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';
import type { Scope } from '../ledger/delivery.ts';
import type { AskedSink } from '../pipeline/comparison.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';

/** A sink that cannot be asked, and why. */
export interface SilentSink {
  readonly id: string;
  readonly reason: string;
  /** As the command ends for it. */
  readonly code: number;
}

/** The sinks of a started host, by the places that deliveries name. */
export class AskedSinks {
  readonly silent: readonly SilentSink[];
  readonly #manifest: Manifest;
  readonly #byId = new Map<string, AskedSink & { readonly place: string }>();

  /** @param manifest the whole one: it says which pipeline delivers where */
  constructor(manifest: Manifest, host: Host) {
    this.#manifest = manifest;
    for (const instance of host.instances.values()) this.#add(instance);
    const ids = [...host.manifest.plugins.keys()];
    this.silent = ids.flatMap((id) => silentOf(id, host.instances.get(id), manifest));
  }

  /** The place of a sink; `undefined` when it cannot be asked. */
  placeOf(id: string): string | undefined {
    return this.#byId.get(id)?.place;
  }

  /** That of the delivery's own pipeline before any other that leads to the same place. */
  readonly sinkOf = ({ pipeline, sink }: Scope): AskedSink | undefined => {
    const own = this.#byId.get(this.sinkIdOf(pipeline) ?? '');
    if (own?.place === sink) return own;
    return [...this.#byId.values()].find(({ place }) => place === sink);
  };

  /** The sink that a pipeline delivers to now. */
  sinkIdOf(pipeline: string): string | undefined {
    return this.#manifest.pipelines.get(pipeline)?.to;
  }

  #add({ id, config, plugin, state }: Instance): void {
    const { head, place } = plugin;
    if (state.state !== 'started' || head === undefined || place === undefined) return;
    const look: AskedSink['head'] = (key, signal) => head.call(plugin, key, signal);
    this.#byId.set(id, { id, place, policy: config.policy, head: look });
  }
}

function silentOf(id: string, instance: Instance | undefined, manifest: Manifest): SilentSink[] {
  const held = manifest.held?.get(pointerTo('/plugins', id));
  if (held !== undefined)
    return [{ id, reason: `it waits: ${held.message}`, code: exitCodes.unreachable }];
  if (instance === undefined)
    return [{ id, reason: 'it is switched off: "enabled": false', code: exitCodes.allWell }];
  const { state } = instance;
  if (state.state !== 'failed') return [];
  return [{ id, reason: `it did not start: ${state.reason}`, code: exitCodeOf(state.cause) }];
}
