/** Takes the rows of a reply as text. Asked for only by who wants strings; an inspection has none. */
export interface RowSink {
  /** Called once, before the first row. Names are unique. */
  columns(names: readonly string[]): void;
  /** As many cells as there are columns; `null` for empty and blank. Other tokens, such as `N.A.`, stay as they are. */
  row(cells: readonly (string | null)[]): void;
}

/** The same names, with `_2`, `_3` … behind those that were there before. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique); n += 1) unique = `${name}_${n}`;
    taken.add(unique);
    return unique;
  });
}
