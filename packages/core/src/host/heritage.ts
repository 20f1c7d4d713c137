import type { Plan } from '../manifest/plan.ts';

/** The entries of these ids, in their order. */
export function only<T>(entries: ReadonlyMap<string, T>, ids: Iterable<string>): Map<string, T> {
  const found = new Map<string, T>();
  for (const id of ids) {
    const entry = entries.get(id);
    if (entry !== undefined) found.set(id, entry);
  }
  return found;
}

/** The pipelines whose steps a plan leaves as they are. */
export function sameSteps({ pipelines }: Plan): string[] {
  const changed = pipelines.started.filter(
    ({ why, keys }) => why === 'changed' && !keys.includes('steps'),
  );
  return [...pipelines.kept, ...changed.map(({ id }) => id)];
}
