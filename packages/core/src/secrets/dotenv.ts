/** One line of a dotenv file that says something. */
export interface DotenvLine {
  readonly name: string;
  readonly value: string;
  /** Counts from 1. */
  readonly line: number;
}

/** A line that could be read in two ways, or in none. The reason does not hold what stands there. */
export interface DoubtfulLine {
  readonly line: number;
  readonly why: string;
}

/**
 * `NAME=value` line by line, with comments, `export`, quotes and values of several lines. Programs disagree about this format;
 * where they do, the line is doubtful instead of read in one of the ways.
 */
export function parseDotenv(text: string): { lines: DotenvLine[]; doubtful: DoubtfulLine[] } {
  const rows = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const lines: DotenvLine[] = [];
  const doubtful: DoubtfulLine[] = [];
  for (let at = 0; at < rows.length; at += 1) {
    const line = at + 1;
    const row = rows[at]?.trim() ?? '';
    if (row === '' || row.startsWith('#')) continue;
    const [, name = '', rest] = ASSIGNMENT.exec(row) ?? [];
    const read = rest === undefined ? doubt('is not NAME=value') : valueAt(rows, at, rest);
    if ('why' in read) doubtful.push({ line, why: read.why });
    else lines.push({ name, value: read.value, line });
    at += read.more;
  }
  return { lines, doubtful };
}

/** The name is what a shell would take for one, and dots and hyphens, which secrets may have. */
const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z0-9_.-]+)[ \t]*=[ \t]*(.*)$/s;

/** A value, or why there is none; and how many further lines it took. */
type Read = { readonly more: number } & ({ readonly value: string } | { readonly why: string });

function valueAt(rows: readonly string[], at: number, rest: string): Read {
  const quote = rest[0];
  if (quote === '"' || quote === "'") return quoted(rows, at, quote, rest.slice(1));
  if (quote === '`') return doubt('has backticks, which some read as quotes and some do not');
  const value = rest.replace(/[ \t]+#.*$/s, '').trimEnd();
  return plain(value);
}

function plain(value: string): Read {
  if (value === '' || value.startsWith('#')) return doubt('has no value');
  if (value.includes('#')) return doubt('has a # that some read as a comment; put it in quotes');
  if (/["']/.test(value)) return doubt('has a quote within; put all of it in quotes');
  if (value.includes('\\')) return doubt('has a backslash; put it in single quotes');
  return unexpanded(value);
}

/** From behind the first quote to the one that ends it, over further lines where need be. */
function quoted(rows: readonly string[], at: number, quote: string, start: string): Read {
  // Of a row in the middle of a value every blank counts, but not that of the first row's end, which was trimmed.
  const text = [start, ...rows.slice(at + 1)].join('\n');
  const end = endOfQuote(text, quote);
  if (end === undefined) return doubt('has a quote that does not end');
  const inner = text.slice(0, end);
  const more = inner.split('\n').length - 1;
  const behind =
    text
      .slice(end + 1)
      .split('\n', 1)[0]
      ?.trim() ?? '';
  if (behind !== '' && !behind.startsWith('#'))
    return doubt('goes on behind its closing quote', more);
  if (inner === '') return doubt('has no value', more);
  const read = quote === "'" ? { value: inner } : unescaped(inner);
  return { ...read, more };
}

function endOfQuote(text: string, quote: string): number | undefined {
  for (let index = 0; index < text.length; index += 1) {
    if (quote === '"' && text[index] === '\\') index += 1;
    else if (text[index] === quote) return index;
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$',
};

function unescaped(inner: string): Read {
  const unknown = [...inner.matchAll(/\\(.)/gs)].find(([, letter = '']) => !(letter in ESCAPES));
  if (unknown) return doubt('has a backslash that means nothing; double it, or use single quotes');
  const bare = unexpanded(inner.replaceAll(/\\./gs, ''));
  if ('why' in bare) return bare;
  return {
    value: inner.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? ''),
    more: 0,
  };
}

/** Some programs put the values of variables there, some do not. */
function unexpanded(value: string): Read {
  if (/\$[({]/.test(value)) return doubt('refers to something else; put it in single quotes');
  return { value, more: 0 };
}

function doubt(why: string, more = 0): Read {
  return { why, more };
}
