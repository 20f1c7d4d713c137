import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo } from '../manifest/pointer.ts';

/** A manifest as it is served, defaults included: what came from elsewhere as its reference, secrets taken out. */
export function shownManifest(
  { plugins, pipelines, allowRemovals, host, held, source }: Manifest,
  redact: (text: string) => string,
): Record<string, unknown> {
  const show = (value: unknown, pointer: string): unknown => {
    const references = source.references.get(pointer);
    if (references !== undefined) return references.map(({ text }) => text).join(' ');
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value))
      return value.map((one, at) => show(one, pointerTo(pointer, String(at))));
    if (typeof value !== 'object' || value === null) return value;
    const shown = Object.entries(value).map(([key, one]) => [
      key,
      show(one, pointerTo(pointer, key)),
    ]);
    return Object.fromEntries(shown) as unknown;
  };
  const room = (name: string, entries: ReadonlyMap<string, object>, hidden: readonly string[]) =>
    Object.fromEntries(
      [...entries].map(([id, entry]) => {
        const pointer = pointerTo(`/${name}`, id);
        const own = Object.entries(entry).filter(([key]) => !hidden.includes(key));
        // What waits for a secret was not switched off by anybody.
        const asWritten = held?.has(pointer) === true ? { enabled: true } : {};
        return [id, show({ ...Object.fromEntries(own), ...asWritten }, pointer)];
      }),
    );
  return {
    allowRemovals,
    ...(host === undefined ? {} : { host: show(host, '/host') }),
    plugins: room('plugins', plugins, ['id', 'code']),
    pipelines: room('pipelines', pipelines, ['id']),
  };
}
