import { PluginError } from '@octo/plugin-api';

/** `<merchant>_<from>_<to>_details.csv` and `…_summary.csv`, possibly compressed and encrypted. */
export const SETTLEMENT_NAMES =
  '^(?<merchant>.+)_(?<from>\\d{4}-\\d{2}-\\d{2})_(?<to>\\d{4}-\\d{2}-\\d{2})_' +
  '(?<kind>details|summary)\\.csv(\\.(pgp|gpg|asc|gz|zip))*$';

/** What a file's name says. */
export interface NameMatch {
  /** The named groups that took part. */
  readonly fields: { readonly [name: string]: string };
  /** The same for the details and the summary of a merchant's period. */
  readonly group?: string;
}

/** The names of the files that belong to a feed. */
export class FilePattern {
  readonly #expression: RegExp;

  /** @throws PluginError `validation` when it is no regular expression */
  constructor(source: string) {
    try {
      this.#expression = new RegExp(source, 'u');
    } catch (error) {
      throw new PluginError(
        'validation',
        `config/pattern is not a regular expression: ${(error as Error).message}`,
        { cause: error, code: 'BAD_PATTERN' },
      );
    }
  }

  match(name: string): NameMatch | undefined {
    // No file system has longer names; it also bounds what an expression that backtracks can cost.
    if (name.length > MAX_NAME_CHARACTERS) return undefined;
    const found = this.#expression.exec(name);
    if (found === null) return undefined;
    const named = Object.entries(found.groups ?? {}).filter(([, value]) => value !== undefined);
    const fields: { [name: string]: string } = Object.fromEntries(named);
    const { merchant, from, to } = fields;
    if (merchant === undefined || from === undefined || to === undefined) return { fields };
    return { fields, group: `${merchant}/${from}/${to}` };
  }

  /** Whether the name would match if the characters in it that nobody can type were others. */
  mayMean(name: string): boolean {
    return this.match(name.replaceAll(/[\p{C}\p{Z}\uFFFD/\\]/gu, '-')) !== undefined;
  }
}

const MAX_NAME_CHARACTERS = 255;
