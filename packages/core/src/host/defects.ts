import type { ErrorCode } from '../errors/catalogue.ts';
import type { Issue } from '../errors/octo-error.ts';
import { segmentsOf } from '../manifest/pointer.ts';

/** What is wrong with a plugin's code and not with the manifest. */
const DEFECTS: readonly ErrorCode[] = [
  'OCTO_PLUGIN_THREW',
  'OCTO_PLUGIN_NO_DEFAULT',
  'OCTO_PLUGIN_NOT_A_PLUGIN',
  'OCTO_PLUGIN_CONTRACT',
  'OCTO_PLUGIN_KIND',
  'OCTO_PLUGIN_SCHEMA',
  'OCTO_PLUGIN_CREATE',
  'OCTO_WORKER_FAILED',
];

/** The issues of a manifest, told apart: what refuses it, and what concerns one plugin's pipelines only. */
export interface Verdict {
  readonly refused: readonly Issue[];
  /** By instance. */
  readonly broken: ReadonlyMap<string, Issue>;
}

/** @param isTolerated whether the pipelines of an instance may be out of order while the others run */
export function verdictOn(
  issues: readonly Issue[],
  isTolerated: (instance: string) => boolean,
): Verdict {
  const broken = new Map<string, Issue>();
  const refused: Issue[] = [];
  for (const issue of issues) {
    const [room, id = ''] = segmentsOf(issue.pointer ?? '');
    const isDefect = room === 'plugins' && DEFECTS.includes(issue.code);
    if (isDefect && isTolerated(id)) broken.set(id, issue);
    else refused.push(issue);
  }
  return { refused, broken };
}
