/** One place in a file, and what stands there when a control is taken away. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands exactly once in the file; as short as that allows. */
  readonly find: string;
  readonly put: string;
}

/** A control of the threat model, taken away, and the test that has to notice. */
export interface Fault extends Edit {
  /** `T10`, or `process` for the last chapter. */
  readonly row: string;
  /** What stands no more, in a few words. */
  readonly control: string;
  /** As the threat model names them: the file and the title, placeholders included. */
  readonly test: string;
  readonly name: string;
  /** Where a control stands twice, the other places. */
  readonly also?: readonly Edit[];
  /** The test file to run, when {@link test} is a suite that others run. */
  readonly run?: string;
}

/** Every place that a fault changes. */
export function editsOf({ file, find, put, also = [] }: Fault): readonly Edit[] {
  return [{ file, find, put }, ...also];
}
