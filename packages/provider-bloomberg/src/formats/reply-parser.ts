import type { InspectionResult } from '@octo/plugin-api';

/** Reads a reply of one form from its first byte to its last, in chunks of any size, holding one row at most. */
export interface ReplyParser {
  /** @throws PluginError `integrity` */
  write(chunk: Buffer): void;
  /** @throws PluginError `integrity`, above all `TRUNCATED` */
  finish(): InspectionResult;
}

/** Far above the longest bulk cells, far below what would hurt. */
export const MAX_ROW_BYTES = 8 * 1024 * 1024;
