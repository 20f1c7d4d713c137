import type { Changes, Plan, Started } from '../manifest/plan.ts';
import { isEmptyPlan } from '../manifest/plan.ts';
import { table } from './table.ts';

/** A plan as lines for people. */
export function planLines(plan: Plan): string[] {
  const rows = [...rowsOf('plugin', plan.plugins), ...rowsOf('pipeline', plan.pipelines)];
  const lines = table(['what', 'id', 'is', 'why'], rows);
  return isEmptyPlan(plan) ? [...lines, '', 'nothing would change'] : lines;
}

function rowsOf(what: string, { kept, started, retired }: Changes): string[][] {
  return [
    ...started.map((one) => [what, one.id, 'started', why(one)]),
    ...retired.map((id) => [what, id, 'retired', 'gone, or switched off']),
    ...kept.map((id) => [what, id, 'kept', '']),
  ];
}

function why({ why: reason, keys, plugins = [] }: Started): string {
  const causes = [...keys, ...plugins.map((id) => `its plugin ${id}`)];
  return causes.length === 0 ? reason : `${reason}: ${causes.join(', ')}`;
}
