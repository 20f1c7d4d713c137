/** A test that the threat model names, in its row. */
export interface Proof {
  /** `T10`; `process` for the chapter behind the rows. */
  readonly row: string;
  readonly test: string;
  readonly name: string;
}

/** Every test that the page names, in its order. */
export function proofsOf(page: string): Proof[] {
  const sections = page.split(/^##+ /m).slice(1);
  return sections.flatMap((section) => {
    const row = /^T\d+/.exec(section)?.[0] ?? 'process';
    const lines = section.matchAll(/^- `([^`]+)`: (.+)$/gm);
    return [...lines].map(([, test = '', name = '']) => ({ row, test, name }));
  });
}
