/** JSON pointers (RFC 6901): how a place in the manifest is named. The root is the empty string. */
export function pointerTo(parent: string, segment: string | number): string {
  return `${parent}/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The segments of a pointer, unescaped. */
export function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The pointer one level up; the root's parent is the root. */
export function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

/** What stands at these segments of a value; `undefined` when nothing does. */
export function valueAt(value: unknown, segments: readonly string[]): unknown {
  return segments.reduce<unknown>(
    (part, segment) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, segment)
        ? (part as Readonly<Record<string, unknown>>)[segment]
        : undefined,
    value,
  );
}
