import type { FrameRow } from './frame-row.ts';

/** What the rows of one program of Bloomberg look like. */
export interface RowLayout {
  readonly name: string;
  /** @throws PluginError `integrity` `MALFORMED` */
  row(row: FrameRow): void;
  /** The data has ended. @throws PluginError `integrity` `MALFORMED` when something is still open */
  end(line: number): void;
  /** The numbers that `DATARECORDS` may be. */
  records(): readonly number[];
}
