import type { Issue } from '../errors/octo-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { escapeText } from '../observe/escape-text.ts';
import { parentOf, segmentsOf } from './pointer.ts';

/** Where in the text a value stands: offsets of its key, when it has one, and of itself. */
export interface Place {
  readonly key: number | undefined;
  readonly value: number;
}

/** What a string of the manifest refers to. */
export interface Reference {
  /** As written: `${env:NAME}`. */
  readonly text: string;
  readonly scheme: 'env' | 'file' | 'secret';
  readonly name: string;
  /** What it resolved to; empty when its store does not open. A secret until somebody knows better. */
  readonly value: string;
  /** Whether the string is this reference and nothing else. */
  readonly whole: boolean;
}

/** A source as plain data. */
export interface SourceParts {
  readonly file: string;
  readonly lineStarts: readonly number[];
  readonly places: readonly (readonly [pointer: string, place: Place])[];
  readonly references: readonly (readonly [pointer: string, references: readonly Reference[]])[];
}

/**
 * The manifest's text, kept for what is said about it: which place is which line, and which values came from elsewhere
 * and so must never be shown.
 */
export class ManifestSource {
  readonly file: string;
  #lineStarts: readonly number[];
  readonly #places: ReadonlyMap<string, Place>;
  readonly references = new Map<string, readonly Reference[]>();

  /** `file` is shown as given. */
  constructor(file: string, text: string, places: ReadonlyMap<string, Place> = new Map()) {
    this.file = file;
    this.#places = places;
    this.#lineStarts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((m) => m.index + m[0].length)];
  }

  /** Everything about the places at or below these pointers, for another process. */
  partsBelow(pointers: readonly string[]): SourceParts {
    const isBelow = ([at]: readonly [string, unknown]) =>
      pointers.some((pointer) => at === pointer || at.startsWith(`${pointer}/`));
    return {
      file: this.file,
      lineStarts: this.#lineStarts,
      places: [...this.#places].filter(isBelow),
      references: [...this.references].filter(isBelow),
    };
  }

  static from({ file, lineStarts, places, references }: SourceParts): ManifestSource {
    const source = new ManifestSource(file, '', new Map(places));
    source.#lineStarts = lineStarts;
    for (const [pointer, found] of references) source.references.set(pointer, found);
    return source;
  }

  /** `plugins.json:12:5` for an offset; lines and columns begin with 1. */
  at(offset: number): string {
    const line = this.#lineStarts.findLastIndex((start) => start <= offset);
    return `${escapeText(this.file)}:${line + 1}:${offset - (this.#lineStarts[line] ?? 0) + 1}`;
  }

  /** The offset of the value at the pointer, or of the nearest value around it that exists. */
  offset(pointer: string, of: 'key' | 'value' = 'value'): number {
    const place = this.#places.get(pointer);
    if (place !== undefined) return of === 'key' ? (place.key ?? place.value) : place.value;
    return pointer === '' ? 0 : this.offset(parentOf(pointer));
  }

  /** A problem with the value (or the key) at the pointer, in words that say which and where. */
  issue(code: ErrorCode, pointer: string, problem: string, of: 'key' | 'value' = 'value'): Issue {
    const where = this.at(this.offset(pointer, of));
    return { code, pointer, where, message: `${this.subject(pointer)} ${problem} (${where})` };
  }

  /** The same for a whole sentence: the place's name goes before it. */
  remark(code: ErrorCode, pointer: string, sentence: string): Issue {
    const where = this.at(this.offset(pointer));
    return { code, pointer, where, message: `${this.subject(pointer)}: ${sentence} (${where})` };
  }

  /** In the order of the file. */
  sorted(issues: readonly Issue[]): Issue[] {
    const offset = ({ pointer }: Issue) => this.offset(pointer ?? '', 'key');
    return issues.toSorted((a, b) => offset(a) - offset(b));
  }

  /** How people name the place: `plugin 'lake': config/bucket`. */
  subject(pointer: string): string {
    const [room, id, ...rest] = segmentsOf(pointer).map(escapeText);
    if (room === undefined) return 'the manifest';
    const kind = { plugins: 'plugin', pipelines: 'pipeline' }[room];
    if (id === undefined) return `'${room}'`;
    if (kind === undefined) return [room, id, ...rest].join('/');
    return rest.length === 0 ? `${kind} '${id}'` : `${kind} '${id}': ${rest.join('/')}`;
  }

  /** Whether the text at the pointer is a reference and nothing else. */
  isReference(pointer: string): boolean {
    return this.references.get(pointer)?.some(({ whole }) => whole) ?? false;
  }

  /** The value in quotes, or the reference that it came from. */
  shown(pointer: string, value: unknown): string {
    const references = this.references.get(pointer);
    if (references !== undefined) return references.map(({ text }) => text).join(' ');
    return typeof value === 'string' ? `'${escapeText(value)}'` : JSON.stringify(value);
  }
}
