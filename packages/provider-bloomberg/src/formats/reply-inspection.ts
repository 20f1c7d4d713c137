import type { Inspection } from '@octo/plugin-api';
import { AnyReply } from './any-reply.ts';

/**
 * Checks one reply as it streams by: a `START-OF-FILE` frame, an error reply (`##`), CSV or JSON, told by its content. Makes
 * no strings of cells and holds one row at most.
 *
 * Facts: `form`, `program`, `rows`, `returnCodes` (rows by code), `fields` (as requested), `nulls` (missing values by token,
 * in rows with code 0), `timeStarted`, `timeFinished`. Warnings: return codes other than 0, fields that the licence does not
 * cover, whatever else a person should hear about.
 *
 * Its `write` and `finish` throw PluginError `integrity` with the code `TRUNCATED` (a marker is missing at the end),
 * `MALFORMED` (with row and column), `COUNT_MISMATCH`, `LINE_TOO_LONG`, `ERROR_REPLY`, `EMPTY_FILE` or `UNKNOWN_FORM`.
 */
export function inspectReply(): Inspection {
  const reply = new AnyReply();
  return {
    write: ({ buffer, byteOffset, byteLength }) =>
      reply.write(Buffer.from(buffer, byteOffset, byteLength)),
    finish: () => reply.finish(),
  };
}
