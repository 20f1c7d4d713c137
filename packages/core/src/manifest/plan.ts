import type { Manifest } from './manifest.ts';
import { type Marks, type Outline, outlineOf } from './outline.ts';

/**
 * What becomes of each plugin and each pipeline when one manifest takes the place of another. Plain data with names
 * only, never a value: it may be printed.
 */
export interface Plan {
  readonly plugins: Changes;
  readonly pipelines: Changes;
}

/** Ids; what is switched off counts as not there. */
export interface Changes {
  /** The living ones stay the same. */
  readonly kept: readonly string[];
  readonly started: readonly Started[];
  /** Those that end without a successor. */
  readonly retired: readonly string[];
}

export interface Started {
  readonly id: string;
  /** A changed one takes the place of the one that runs. */
  readonly why: 'new' | 'changed';
  /** The places that changed, such as `config/bucket` or `schedule`. Empty for a new one. */
  readonly keys: readonly string[];
  /** Of a changed pipeline: those of its plugins that are not kept. */
  readonly plugins?: readonly string[];
}

/**
 * Compares resolved values: a rotated secret is a change of what uses it, and so is another version of a plugin's code;
 * order and comments are none. Pure.
 */
export function planChange(
  before: Manifest,
  after: Manifest,
  options: { readonly withCode: boolean } = { withCode: true },
): Plan {
  const outline = (manifest: Manifest) =>
    outlineOf(options.withCode ? manifest : withoutCode(manifest));
  return planFrom(outline(before), after, outline(after));
}

function withoutCode(manifest: Manifest): Manifest {
  const plugins = [...manifest.plugins].map(([id, one]) => [id, { ...one, code: '' }] as const);
  return { ...manifest, plugins: new Map(plugins) };
}

/** The same when only an outline of what runs is known; both outlines must be made with the same marks. */
export function planFrom(before: Outline, after: Manifest, afterwards: Outline): Plan {
  const moved = before.folder === afterwards.folder ? [] : ['folder'];
  const plugins = compare(before.plugins, afterwards.plugins, (old, marks) => ({
    keys: [...moved, ...changedKeys(old, marks)],
  }));
  const touched = new Set([...plugins.started.map(({ id }) => id), ...plugins.retired]);
  const pipelines = compare(before.pipelines, afterwards.pipelines, (old, marks, id) => ({
    keys: changedKeys(old, marks),
    plugins: pluginsOf(after, id).filter((plugin) => touched.has(plugin)),
  }));
  return { plugins, pipelines };
}

/** Whether a plan changes nothing at all. */
export function isEmptyPlan({ plugins, pipelines }: Plan): boolean {
  return [plugins, pipelines].every(
    ({ started, retired }) => started.length === 0 && retired.length === 0,
  );
}

function compare(
  before: Outline['plugins'],
  after: Outline['plugins'],
  difference: (old: Marks, marks: Marks, id: string) => Pick<Started, 'keys' | 'plugins'>,
): Changes {
  const kept: string[] = [];
  const started: Started[] = [];
  for (const [id, marks] of after) {
    const old = before.get(id);
    if (old === undefined) {
      started.push({ id, why: 'new', keys: [] });
      continue;
    }
    const changed = difference(old, marks, id);
    const same = changed.keys.length === 0 && (changed.plugins ?? []).length === 0;
    if (same) kept.push(id);
    else started.push({ id, why: 'changed', ...changed });
  }
  return { kept, started, retired: [...before.keys()].filter((id) => !after.has(id)) };
}

function changedKeys(before: Marks, after: Marks): string[] {
  const places = new Set([...before.keys(), ...after.keys()]);
  return [...places].filter((place) => before.get(place) !== after.get(place));
}

function pluginsOf({ pipelines }: Manifest, id: string): string[] {
  const pipeline = pipelines.get(id);
  return pipeline === undefined ? [] : [...new Set([pipeline.from, pipeline.to])];
}
