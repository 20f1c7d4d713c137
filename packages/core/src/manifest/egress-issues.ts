import type { Issue } from '../errors/octo-error.ts';
import { type Fields, fieldsOf } from './fields.ts';
import type { ManifestSource } from './manifest-source.ts';
import { pointerTo } from './pointer.ts';

/** What a plugin may reach: all, what is listed, or what its neighbours let it. */
type Reachable = 'all' | 'listed' | undefined;

/**
 * A provider and its sink share a process. One that is to reach every public address would carry out what the other one, with
 * its list, may not: whoever wrote both down is asked which of them is meant.
 */
export function egressIssues(
  { egress, plugins, pipelines }: Readonly<Record<'egress' | 'plugins' | 'pipelines', unknown>>,
  source: ManifestSource,
): Issue[] {
  const reachable = (id: string) => reachableBy(fieldsOf(fieldsOf(plugins)[id]), egress);
  const told = new Set<string>();
  return Object.entries(fieldsOf(pipelines)).flatMap(([pipeline, value]) => {
    const { from, to } = fieldsOf(value);
    const ends = [from, to].filter((id) => typeof id === 'string');
    const open = ends.find((id) => reachable(id) === 'all');
    const closed = ends.find((id) => reachable(id) === 'listed');
    if (open === undefined || closed === undefined || told.has(open)) return [];
    told.add(open);
    const problem = `opens every public address, but shares the process of pipeline '${pipeline}' with '${closed}', which is to reach what is listed; list the hosts of both, or write ["*"] for both; "network": false for one that needs none`;
    const pointer = pointerTo(pointerTo('/plugins', open), 'allow');
    return [source.issue('OCTO_MANIFEST_INVALID', pointerTo(pointer, 'egress'), problem)];
  });
}

function reachableBy({ allow }: Fields, otherwise: unknown): Reachable {
  const { network, egress } = fieldsOf(allow);
  if (network === false) return undefined;
  if (!Array.isArray(egress)) return otherwise === 'listed' ? 'listed' : undefined;
  return egress.includes('*') ? 'all' : 'listed';
}
