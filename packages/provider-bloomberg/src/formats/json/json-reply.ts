import { isUtf8 } from 'node:buffer';
import type { InspectionResult } from '@octo/plugin-api';
import { malformed } from '../bad-reply.ts';
import type { ReplyParser } from '../reply-parser.ts';
import type { RowSink } from '../row-sink.ts';
import { Tally } from '../tally.ts';
import { JsonObjects } from './json-objects.ts';

/** A response as JSON: one array of objects that all have the same names, among them `DL_…`. */
export class JsonReply implements ReplyParser {
  readonly #objects = new JsonObjects((slice) => this.#slice(slice));
  readonly #tally = new Tally();
  readonly #sink: RowSink | undefined;
  #columns: readonly string[] = [];
  #firstValue = 0;
  #started: unknown;

  constructor(sink?: RowSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    this.#objects.write(chunk);
  }

  finish(): InspectionResult {
    this.#objects.finish();
    return {
      facts: {
        form: 'json',
        ...this.#tally.facts(),
        fields: this.#columns.slice(this.#firstValue).filter((name) => !name.startsWith('DL_')),
        ...(typeof this.#started === 'string' && { timeStarted: this.#started.slice(0, 40) }),
      },
      warnings: this.#tally.warnings(),
    };
  }

  #slice(slice: Buffer): void {
    if (!isUtf8(slice)) throw malformed(this.#tally.rows + 1, undefined, 'it is not UTF-8');
    const text = slice.toString();
    for (const object of this.#parsed(text)) this.#object(object);
  }

  #parsed(text: string): readonly JsonObject[] {
    const reviver = this.#sink === undefined ? undefined : asWritten;
    try {
      return JSON.parse(`[${text}]`, reviver) as readonly JsonObject[];
    } catch {
      throw malformed(
        this.#tally.rows + 1,
        undefined,
        'this row, or one soon after it, is no JSON',
      );
    }
  }

  #object(object: JsonObject): void {
    const row = this.#tally.rows + 1;
    if (this.#columns.length === 0) this.#header(object, row);
    this.#checkNames(object, row);
    const code = 'RC' in object ? codeOf(object['RC'], row) : 0;
    this.#tally.code(code, row);
    if (code === 0) this.#countNulls(object);
    this.#sink?.row(this.#columns.map((name) => cellText(object[name])));
  }

  #header(object: JsonObject, row: number): void {
    const names = Object.keys(object);
    if (!names.some((name) => name.startsWith('DL_')))
      throw malformed(row, undefined, 'it has no DL_ column: this is no Data License response');
    this.#columns = names;
    this.#firstValue = names.indexOf('RC') + 1;
    this.#started = object['DL_SNAPSHOT_START_TIME'];
    this.#sink?.columns(names);
  }

  #checkNames(object: JsonObject, row: number): void {
    let count = 0;
    for (const name in object) if (Object.hasOwn(object, name)) count += 1;
    const columns = this.#columns;
    const missing = columns.findIndex((name) => !Object.hasOwn(object, name));
    if (count === columns.length && missing < 0) return;
    const what = `it has ${count} names, and the first row ${columns.length}`;
    throw malformed(row, missing < 0 ? undefined : missing + 1, what);
  }

  #countNulls(object: JsonObject): void {
    const columns = this.#columns;
    for (let i = this.#firstValue; i < columns.length; i += 1)
      if (object[columns[i] as string] === null) this.#tally.missing(0, undefined);
  }
}

type JsonObject = { readonly [name: string]: unknown };

/** Numbers as the vendor wrote them: 231.450000 stays that, and long ones keep all their digits. */
function asWritten(_: string, value: unknown, context: { readonly source?: string } = {}): unknown {
  return typeof value === 'number' ? (context.source ?? String(value)) : value;
}

function codeOf(value: unknown, row: number): number {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw malformed(row, undefined, 'RC, the return code, is no whole number');
}

function cellText(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
