import type { Issue } from '../errors/octo-error.ts';
import type { Manifest } from './manifest.ts';
import type { ManifestSource } from './manifest-source.ts';
import { pointerTo, segmentsOf } from './pointer.ts';
import type { Waiting } from './references.ts';
import { dependentOf } from './secret-references.ts';

/** See `Manifest.held`. */
export type Held = ReadonlyMap<string, Issue>;

interface Written {
  readonly plugins: Readonly<Record<string, { readonly enabled: boolean }>>;
  readonly pipelines: Readonly<
    Record<string, { readonly enabled: boolean; readonly from: string; readonly to: string }>
  >;
}

/** What waits for a secret: each for its first one; then the pipelines whose plugins do. What is switched off waits for nothing. */
export function heldBy(
  waiting: readonly Waiting[],
  { plugins, pipelines }: Written,
  source: ManifestSource,
): Held {
  const held = new Map<string, Issue>();
  for (const { pointer, text, reason } of waiting) {
    const dependent = dependentOf(pointer);
    const [room = '', id = ''] = segmentsOf(dependent);
    const isOff = { plugins, pipelines }[room]?.[id]?.enabled === false;
    if (isOff || held.has(dependent)) continue;
    const problem = `waits for ${text}: ${reason.message}`;
    held.set(dependent, source.issue(reason.code, pointer, problem));
  }
  for (const [id, { enabled, ...ends }] of Object.entries(pipelines)) {
    const pointer = pointerTo('/pipelines', id);
    for (const end of ['from', 'to'] as const) {
      const missing = held.get(pointerTo('/plugins', ends[end]));
      if (missing === undefined || !enabled || held.has(pointer)) continue;
      held.set(pointer, { ...missing, pointer: pointerTo(pointer, end) });
    }
  }
  return held;
}

/** One issue for each store that does not open, however much of it is wanted. */
export function closedStores(waiting: readonly Waiting[], source: ManifestSource): Issue[] {
  const stores = Map.groupBy(waiting, ({ reason }) => reason);
  return [...stores].flatMap(([reason, [first, ...more]]) => {
    if (first === undefined) return [];
    const others = more.length === 0 ? '' : `, and ${more.length} more such`;
    const problem = `refers to ${first.text}${others}: ${reason.message}`;
    return [source.issue(reason.code, first.pointer, problem)];
  });
}

/** Without the parts of the host that wait: nothing of them must be half there. */
export function withoutHeld(value: unknown, waiting: readonly Waiting[]): unknown {
  const gone = waiting.map(({ pointer }) => dependentOf(pointer));
  const parts = gone.filter((pointer) => pointer.startsWith('/host/'));
  if (parts.length === 0) return value;
  const without = (part: unknown, pointer: string): unknown => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const kept = Object.entries(part).filter(([key]) => !parts.includes(pointerTo(pointer, key)));
    return Object.fromEntries(
      kept.map(([key, one]) => [key, without(one, pointerTo(pointer, key))]),
    );
  };
  return without(value, '');
}

/**
 * A guard for what runs: what is wrong when a manifest would hold something that lives now. It goes on with the secrets
 * that it has.
 */
export function heldIssue(before: Manifest, after: Manifest): Issue | undefined {
  for (const [pointer, issue] of after.held ?? []) {
    const [room = '', id = ''] = segmentsOf(pointer);
    const living = room === 'plugins' ? before.plugins.get(id) : before.pipelines.get(id);
    if (room !== 'host' && living?.enabled === true) return issue;
  }
  return undefined;
}
