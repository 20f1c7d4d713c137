import { malformed } from '../bad-reply.ts';

/** The lines `KEY=value` before and after the data. */
export class FrameHeaders {
  readonly #values = new Map<string, string>();

  /** @throws PluginError `integrity` `MALFORMED` for what is no header, or says two things at once */
  add(line: string, row: number): void {
    const [, key = '', value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(line) ?? [];
    if (key === '') throw malformed(row, 1, 'it is neither a header KEY=value nor a marker');
    const before = this.#values.get(key);
    if (before !== undefined && before !== value)
      throw malformed(row, 1, `the header ${shown(key)} is there twice, with different values`);
    if (this.#values.size === MAX_HEADERS) throw malformed(row, 1, 'there are too many headers');
    if (key === 'DATARECORDS' && !/^\d{1,15}$/.test(value))
      throw malformed(row, key.length + 2, 'DATARECORDS is no number');
    this.#values.set(key, value);
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** Of those that nobody has heard of. */
  warnings(): string[] {
    const unknown = [...this.#values.keys()].filter((key) => !KNOWN.has(key));
    if (unknown.length === 0) return [];
    const more = unknown.length > NAMED ? ' …' : '';
    return [`unknown headers: ${unknown.slice(0, NAMED).map(shown).join(', ')}${more}`];
  }

  /** The one byte between cells; none that markers or comments are made of. @throws PluginError `integrity` `MALFORMED` when it cannot be one */
  delimiter(row: number): number {
    const value = this.#values.get('DELIMITER') ?? '|';
    if (/^[\t!"$-,./:-@[-`{-~]$/.test(value)) return value.charCodeAt(0);
    throw malformed(row, undefined, 'the header DELIMITER is not one punctuation character');
  }
}

const MAX_HEADERS = 500;
const NAMED = 5;

function shown(key: string): string {
  return key.slice(0, 40);
}

/** Those of requests, which are echoed, and those that a reply adds. */
const KNOWN = new Set(
  (
    'FIRMNAME PROGRAMNAME PROGRAMFLAG REPLYFILENAME DELIMITER DATEFORMAT ADJUSTED SECMASTER CLOSINGVALUES DERIVED ' +
    'FUNDAMENTALS HISTORICAL CORPORATE_ACTIONS CREDITRISK ESTIMATES QUOTECOMPOSITE QUOTECOMPOSITEHIST PRICING ' +
    'COMPRESS SECID YELLOWKEY PRICING_SOURCE DATERANGE HIST_FORMAT HIST_PERIOD OUTPUTFORMAT ACTIONS ACTIONS_DATE ' +
    'DIFFFLAG TIME RUNDATE USERNUMBER SN WS COLUMNHEADER TIMESTARTED TIMEFINISHED DATARECORDS DATE TIMEZONE'
  ).split(' '),
);
