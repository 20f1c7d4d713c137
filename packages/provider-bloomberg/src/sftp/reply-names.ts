import { PluginError } from '@octo/plugin-api';
import type { RequestFileConfig } from '../config-schema.ts';
import { DatedName } from '../dated-name.ts';

/** A configured request file, and the names under which it is answered. */
export class AskedFile {
  readonly config: RequestFileConfig;
  readonly name: DatedName;

  constructor(config: RequestFileConfig, timezone: string) {
    this.config = config;
    this.name = new DatedName(config.reply, timezone);
  }

  /** Whether this is a reply of some day. */
  owns(fileName: string): boolean {
    return this.name.matches(replyNameOf(fileName)) || this.#isErrorFile(fileName);
  }

  /** Some old accounts answer a request that cannot be read with `name.err`. */
  #isErrorFile(fileName: string): boolean {
    return (
      fileName.endsWith('.err') &&
      this.name.matches(`${withoutEnding(fileName)}${endingOf(this.config.reply)}`)
    );
  }
}

/** Which of the account's files are delivered, and which words their names give. */
export class ReplyNames {
  readonly #asked: readonly AskedFile[];
  readonly #pattern: RegExp | undefined;

  /** @throws PluginError `validation` with code `BAD_PATTERN` */
  constructor(asked: readonly AskedFile[], pattern: string | undefined) {
    this.#asked = asked;
    this.#pattern = pattern === undefined ? undefined : expression(pattern);
  }

  /** The words for the key template; undefined when the file is none of ours. */
  match(fileName: string): { readonly [name: string]: string } | undefined {
    if (fileName.length > MAX_NAME_CHARACTERS || fileName.endsWith('.req')) return undefined;
    const found = this.#pattern?.exec(fileName);
    const isOurs =
      this.#asked.some((one) => one.owns(fileName)) || (found ?? undefined) !== undefined;
    const takesAll = this.#asked.length === 0 && this.#pattern === undefined;
    if (!isOurs && !takesAll) return undefined;
    const groups = Object.entries(found?.groups ?? {}).filter(([, value]) => value !== undefined);
    const named: { [name: string]: string } = Object.fromEntries(groups);
    return { reply: replyNameOf(fileName), ...named };
  }
}

/** `px0115a.out.20260115.gz` → `px0115a.out`: what the request asked for, without what some accounts add. */
export function replyNameOf(fileName: string): string {
  return fileName.replace(/(\.(gz|pgp|gpg|enc))+$/, '').replace(/\.\d{8}$/, '');
}

/** `px0115a.out` → `px0115a.req` */
export function requestNameOf(reply: string): string {
  return `${withoutEnding(reply)}.req`;
}

function withoutEnding(name: string): string {
  const point = name.lastIndexOf('.');
  return point < 1 ? name : name.slice(0, point);
}

function endingOf(name: string): string {
  return name.slice(withoutEnding(name).length);
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (cause) {
    throw new PluginError(
      'validation',
      `config/pattern is not a regular expression: ${(cause as Error).message}`,
      { cause, code: 'BAD_PATTERN' },
    );
  }
}

/** No file system has longer names; it also bounds what an expression that backtracks can cost. */
const MAX_NAME_CHARACTERS = 255;
