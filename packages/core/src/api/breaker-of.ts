import type { Manifest } from '../manifest/manifest.ts';
import type { Breakers } from '../policy/breakers.ts';
import { shownBreaker, type ShownBreaker } from '../policy/shown-breaker.ts';

/** The breaker of an instance as the API shows it; `undefined` when its policy has none. */
export function breakerOf(
  { plugins }: Pick<Manifest, 'plugins'>,
  known: Awaited<ReturnType<Breakers['all']>>,
  id: string,
): ShownBreaker | undefined {
  return plugins.get(id)?.policy.breaker === undefined ? undefined : shownBreaker(known.get(id));
}
