import { PluginError } from '@octo/plugin-api';

/** A promise about a file's lines, looked at while they pass. */
export interface LineCheck {
  /** One line, without its end; never empty. Valid only during the call. */
  line(line: Buffer): void;
  /** @throws PluginError `integrity` when the promise was not kept */
  finish(): { readonly [fact: string]: number };
}

export interface RowBounds {
  readonly min?: number;
  readonly max?: number;
  readonly header: boolean;
}

/** How many rows the file has. */
export function rowCheck({ min = 0, max = Infinity, header }: RowBounds): LineCheck {
  let lines = 0;
  return {
    line: () => {
      lines += 1;
    },
    finish: () => {
      if (header && lines === 0)
        throw new PluginError('integrity', 'the file has no header line', { code: 'ROW_COUNT' });
      const rows = header ? lines - 1 : lines;
      if (rows >= min && rows <= max) return { rows };
      const expected = max === Infinity ? `at least ${min}` : `${min} to ${max}`;
      throw new PluginError(
        'integrity',
        `the file has ${rows} rows where ${expected} are expected; ask the vendor, or change "rows"`,
        { code: 'ROW_COUNT' },
      );
    },
  };
}

/** What the last line begins with. */
export function trailerCheck(trailer: string): LineCheck {
  const expected = Buffer.from(trailer);
  let last = false;
  return {
    line: (line) => {
      last = startsWith(line, expected);
    },
    finish: () => {
      if (last) return {};
      throw trailerMissing(`does not end with the line ${JSON.stringify(trailer)}`);
    },
  };
}

export interface CountLine {
  readonly start: string;
  readonly end: string;
  readonly count: string;
}

/** A declared number of the rows between two markers, such as Bloomberg's DATARECORDS. */
export function countLineCheck({ start, end, count }: CountLine): LineCheck {
  const markers = { start: Buffer.from(start), end: Buffer.from(end), count: Buffer.from(count) };
  let inside = false;
  let ended = false;
  let rows = 0;
  let declared: number | undefined;
  return {
    line: (line) => {
      if (line.equals(markers.start)) inside = true;
      else if (inside && line.equals(markers.end)) {
        inside = false;
        ended = true;
      } else if (inside) rows += 1;
      else if (startsWith(line, markers.count))
        declared = numberIn(line.subarray(markers.count.length));
    },
    finish: () => {
      if (inside || !ended)
        throw trailerMissing(`has no line ${JSON.stringify(inside ? end : start)}`);
      if (declared === undefined)
        throw trailerMissing(`has no line ${JSON.stringify(count)} with a number`);
      if (declared === rows) return { rows };
      throw new PluginError(
        'integrity',
        `the file declares ${declared} rows and has ${rows}; fetch it again, or ask the vendor to send it again`,
        { code: 'ROW_COUNT' },
      );
    },
  };
}

function startsWith(line: Buffer, prefix: Buffer): boolean {
  return line.subarray(0, prefix.length).equals(prefix);
}

function numberIn(text: Buffer): number | undefined {
  const digits = text.subarray(0, 32).toString('latin1').trim();
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

function trailerMissing(what: string): PluginError {
  return new PluginError(
    'integrity',
    `the file ${what}: it is not complete, or not the file that was expected`,
    {
      code: 'TRAILER',
    },
  );
}
