import { PluginError } from '@octo/plugin-api';

/**
 * A name that may hold the day: `octoEod{date:yyyyMMdd}`. A request whose identifier changes each day asks for data each
 * day; one without a date is asked once and, when Bloomberg repeats it, answered again and again under the same name.
 */
export class DatedName {
  /** What every such name begins with. */
  readonly prefix: string;
  readonly isDated: boolean;
  readonly #template: string;
  readonly #timezone: string;
  readonly #pattern: RegExp;

  /** @throws PluginError `validation` with code `BAD_CONFIG` */
  constructor(template: string, timezone: string) {
    const parts = template.split(/(\{date:[yMd]+\})/);
    this.#template = template;
    this.#timezone = checked(timezone);
    this.prefix = parts[0] ?? '';
    this.isDated = parts.length > 1;
    if (/[{}]/.test(parts.filter((_, i) => i % 2 === 0).join('')))
      throw new PluginError(
        'validation',
        `config: the name '${template}' may hold {date:yyyyMMdd} (of y, M and d) and no other braces`,
        { code: 'BAD_CONFIG' },
      );
    const pattern = parts.map((part, i) => (i % 2 === 0 ? literally(part) : digitsOf(part)));
    this.#pattern = new RegExp(`^${pattern.join('')}$`, 'u');
  }

  /** The name on the day of a moment, in the time zone of the configuration. */
  at(nowMs: number): string {
    if (!this.isDated) return this.#template;
    const day = dayAt(nowMs, this.#timezone);
    return this.#template.replaceAll(/\{date:([yMd]+)\}/g, (_, format: string) =>
      format.replaceAll(/yyyy|yy|MM|dd/g, (part) => day[part] ?? part),
    );
  }

  /** Whether this is the name on some day. */
  matches(name: string): boolean {
    return this.#pattern.test(name);
  }
}

function dayAt(nowMs: number, timeZone: string): { readonly [part: string]: string } {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(nowMs);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const yyyy = part('year');
  return { yyyy, yy: yyyy.slice(-2), MM: part('month'), dd: part('day') };
}

function checked(timezone: string): string {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: timezone }).resolvedOptions().timeZone;
  } catch (cause) {
    throw new PluginError(
      'validation',
      `config/timezone: '${timezone}' is no time zone; give one such as America/New_York`,
      { code: 'BAD_CONFIG', cause },
    );
  }
}

/** `{date:yyyyMMdd}` → eight digits. */
function digitsOf(placeholder: string): string {
  const length = placeholder.length - '{date:}'.length;
  if (!/^\{date:(?:yyyy|yy|MM|dd)+\}$/.test(placeholder))
    throw new PluginError(
      'validation',
      `config: '${placeholder}' is made of other parts than yyyy, yy, MM and dd`,
      { code: 'BAD_CONFIG' },
    );
  return `\\d{${length}}`;
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`);
}
