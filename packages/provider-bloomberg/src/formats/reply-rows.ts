import type { Tabulation } from '@octo/plugin-api';
import { AnyReply } from './any-reply.ts';

/**
 * Reads one reply, of any form that an inspection takes, as a table of text. A cell is `null` where Bloomberg wrote nothing
 * or a blank; `N.A.`, `N.D.`, `N.S.` and the like stay as they are, because they mean different things.
 *
 * Columns: `SECURITY`, `RC` and the fields for getdata, with `DATE` before them for a horizontal history; `SECURITY`, `RC`,
 * `FIELD`, `DATE`, `VALUE` for a vertical one; the identity, the event and its `DETAILS` as JSON for getactions; the columns
 * of a CSV or JSON response; one column `LINE` where the layout is not known.
 *
 * Refuses exactly what an inspection refuses.
 */
export function replyRows(): Tabulation {
  let columns: readonly string[] | undefined;
  let rows: (readonly (string | null)[])[] = [];
  const reply = new AnyReply({
    columns: (names) => void (columns = names),
    row: (cells) => void rows.push(cells),
  });
  const taken = (): typeof rows => {
    const ready = rows;
    rows = [];
    return ready;
  };
  return {
    get columns() {
      return columns;
    },
    write({ buffer, byteOffset, byteLength }) {
      reply.write(Buffer.from(buffer, byteOffset, byteLength));
      return taken();
    },
    finish() {
      reply.finish();
      columns ??= [];
      return taken();
    },
  };
}
