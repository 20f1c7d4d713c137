/** What stands in an object of a manifest that nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** None of what is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}
