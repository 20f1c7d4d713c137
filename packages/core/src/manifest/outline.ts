import type { InstanceConfig, Manifest, PipelineConfig } from './manifest.ts';
import { pointerTo } from './pointer.ts';

/**
 * What of a manifest counts when two are compared: each value by its place, as a mark that is the same only for the same
 * value. References are resolved in it; order, comments and what is switched off are not there.
 */
export interface Outline {
  readonly folder: string;
  readonly plugins: ReadonlyMap<string, Marks>;
  readonly pipelines: ReadonlyMap<string, Marks>;
}

/** By place within the plugin or pipeline: `use`, `config/bucket`, `steps`. */
export type Marks = ReadonlyMap<string, string>;

/** The mark of a value. `place` is its full pointer, such as `/plugins/lake/config/bucket`. */
export type Mark = (value: string, place: string) => string;

/** The outline of a manifest. Without a `mark` the marks are the values, secrets included: for memory only. */
export function outlineOf(manifest: Manifest, mark: Mark = (value) => value): Outline {
  const { folder, plugins, pipelines } = manifest;
  return {
    folder,
    plugins: marksOf(plugins, '/plugins', mark),
    pipelines: marksOf(pipelines, '/pipelines', mark),
  };
}

function marksOf(
  entries: ReadonlyMap<string, InstanceConfig | PipelineConfig>,
  room: string,
  mark: Mark,
): Map<string, Marks> {
  const enabled = [...entries].filter(([, entry]) => entry.enabled);
  return new Map(
    enabled.map(([id, { id: _id, enabled: _enabled, ...entry }]) => {
      const marks = new Map<string, string>();
      const note = (place: string, value: unknown) =>
        marks.set(place, mark(canonical(value), `${pointerTo(room, id)}/${place}`));
      for (const [key, value] of Object.entries(entry)) walk(value, key, note);
      return [id, marks];
    }),
  );
}

/** A list is one place: that its third item is another one is told as a change of the list. */
function walk(value: unknown, place: string, note: (place: string, value: unknown) => void): void {
  if (value === undefined) return;
  const parts = isFields(value) ? Object.entries(value) : [];
  for (const [key, part] of parts) walk(part, pointerTo(place, key), note);
  const isRoot = !place.includes('/');
  if (!isFields(value) || (parts.length === 0 && !isRoot)) note(place, value);
}

/** JSON with the names of every object in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isFields(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
