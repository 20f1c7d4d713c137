import { padText, textWidth } from './text-width.ts';

/** Rows as aligned columns, two spaces apart; the last column is not padded. Cells hold no control characters. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => textWidth(row[column] ?? ''))),
  );
  return all.map((row) =>
    row
      .map((cell, column) => padText(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
