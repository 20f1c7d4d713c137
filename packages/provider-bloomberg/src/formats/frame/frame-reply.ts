import { isUtf8 } from 'node:buffer';
import type { InspectionResult } from '@octo/plugin-api';
import { badReply, malformed } from '../bad-reply.ts';
import type { ReplyParser } from '../reply-parser.ts';
import type { RowSink } from '../row-sink.ts';
import { Tally } from '../tally.ts';
import { Delimiters } from './delimiters.ts';
import { FrameHeaders } from './frame-headers.ts';
import { FrameRow } from './frame-row.ts';
import { LineBlocks } from './line-blocks.ts';
import type { RowLayout } from './row-layout.ts';
import { rowLayout } from './rows-of-program.ts';

/**
 * A reply in Bloomberg's frame: from START-OF-FILE to END-OF-FILE, headers, the requested fields, and the data. Complete
 * when all markers are there, once and in order, and every row has as many cells as it says.
 */
export class FrameReply implements ReplyParser {
  readonly #sink: RowSink | undefined;
  readonly #lines = new LineBlocks((block) => this.#block(block));
  readonly #delimiters = new Delimiters();
  readonly #row = new FrameRow();
  readonly #headers = new FrameHeaders();
  readonly #tally = new Tally();
  readonly #fields: string[] = [];
  #hasFields = false;
  #section: Section = 'start';
  #delimiter = 0;
  #layout: RowLayout | undefined;
  #comments = 0;
  #crlf = 0;
  #utf8 = true;

  constructor(sink?: RowSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    this.#lines.write(chunk);
  }

  finish(): InspectionResult {
    this.#lines.finish();
    if (this.#section !== 'ended') throw this.#truncated();
    this.#checkRecords();
    return { facts: this.#facts(), warnings: this.#warnings() };
  }

  #block(block: Buffer): void {
    const utf8 = isUtf8(block);
    if (!utf8) this.#utf8 = false;
    this.#row.encoding = utf8 ? 'utf8' : 'latin1';
    for (let at = 0; at < block.length;)
      at = this.#section === 'data' ? this.#data(block, at) : this.#other(block, at);
  }

  /** Rows up to the end of the data, or of some lines; returns where that is. */
  #data(block: Buffer, from: number): number {
    const row = this.#row;
    const delimiters = this.#delimiters;
    const to = someLines(block, from);
    delimiters.find(block, from, to, this.#delimiter);
    let at = from;
    for (let next = 0; at < to;) {
      const lineEnd = block.indexOf(LF, at);
      next = row.take(block, at, lineEnd, delimiters, next);
      at = lineEnd + 1;
      if (row.crlf) this.#crlf += 1;
      if (row.cells === 0 && this.#isNoRow(row)) {
        if (this.#section !== 'data') return at;
      } else {
        this.#layout ??= this.#layoutFor(row);
        this.#layout.row(row);
      }
    }
    return at;
  }

  /** Blank lines, comments and markers. */
  #isNoRow(row: FrameRow): boolean {
    if (row.start === row.end) return true;
    if (row.bytes[row.start] === HASH) {
      this.#comments += 1;
      return true;
    }
    const line = row.bytes.toString('latin1', row.start, row.end);
    if (!MARKERS.has(line)) return false;
    this.#marker(line, row.line);
    this.#layout ??= this.#layoutFor(row);
    this.#layout.end(row.line);
    return true;
  }

  #other(block: Buffer, from: number): number {
    const row = this.#row;
    const lineEnd = block.indexOf(LF, from);
    row.span(block, from, lineEnd);
    if (row.crlf) this.#crlf += 1;
    const line = block.toString(row.encoding, row.start, row.end);
    if (MARKERS.has(line)) this.#marker(line, row.line);
    else if (!BLANK.test(line)) this.#text(line, row.line);
    return lineEnd + 1;
  }

  #text(line: string, row: number): void {
    if (this.#section === 'start' || this.#section === 'ended') throw this.#outside(row);
    if (line.startsWith('#')) this.#comments += 1;
    else if (this.#section === 'fields') this.#field(line, row);
    else this.#headers.add(line, row);
  }

  #field(line: string, row: number): void {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_ %/.:&()+-]{0,99}$/.test(line))
      throw malformed(row, 1, 'it is no mnemonic of a field');
    if (this.#fields.length === MAX_FIELDS) throw malformed(row, 1, 'there are too many fields');
    this.#fields.push(line.trimEnd());
  }

  #marker(marker: string, row: number): void {
    const next = AFTER[this.#section][marker];
    const again = marker === 'START-OF-FIELDS' && this.#hasFields;
    if (next === undefined || again)
      throw malformed(
        row,
        1,
        `${marker} stands where ${again ? 'START-OF-DATA' : due(this.#section)} is due: a marker is missing, or there twice`,
      );
    this.#section = next;
    if (next === 'fields') this.#hasFields = true;
    if (next === 'data') this.#beginData(row);
  }

  #beginData(row: number): void {
    this.#delimiter = this.#headers.delimiter(row);
    if (this.#fields.length === 0 && NEEDS_FIELDS.has(this.#program()))
      throw malformed(row, 1, 'the data begin, and no field was named: START-OF-FIELDS is missing');
  }

  #program(): string {
    return this.#headers.get('PROGRAMNAME') ?? 'getdata';
  }

  #layoutFor(row: FrameRow): RowLayout {
    return rowLayout({
      program: this.#program(),
      output: this.#headers.get('OUTPUTFORMAT'),
      fields: this.#fields,
      first: row,
      sink: this.#sink,
      tally: this.#tally,
    });
  }

  #checkRecords(): void {
    const declared = this.#headers.get('DATARECORDS');
    const counts = this.#layout?.records() ?? [0];
    if (declared === undefined || counts.includes(Number(declared))) return;
    throw badReply(
      'COUNT_MISMATCH',
      `DATARECORDS says ${Number(declared)}, and there are ${counts[0]} rows`,
    );
  }

  #facts(): InspectionResult['facts'] {
    const headers = this.#headers;
    const optional = {
      replyFileName: headers.get('REPLYFILENAME'),
      runDate: headers.get('RUNDATE'),
      timeStarted: headers.get('TIMESTARTED'),
      timeFinished: headers.get('TIMEFINISHED'),
    };
    return {
      form: 'frame',
      program: shortened(this.#program()),
      layout: this.#layout?.name,
      ...this.#tally.facts(),
      fields: this.#fields,
      ...Object.fromEntries(
        Object.entries(optional)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => [name, shortened(value as string)]),
      ),
    };
  }

  #warnings(): string[] {
    const mixed = this.#crlf > 0 && this.#crlf < this.#row.line - (this.#lines.terminated ? 0 : 1);
    return [
      ...this.#tally.warnings(),
      ...this.#headers.warnings(),
      ...(this.#comments > 0 ? [`lines that begin with #: ${this.#comments}`] : []),
      ...(this.#layout?.name === 'unknown' ? [UNCHECKED] : []),
      ...(mixed ? ['some lines end with CRLF and others with LF'] : []),
      ...(this.#utf8 ? [] : ['the text is not UTF-8; it is read as Latin-1 where it is not']),
    ];
  }

  #truncated(): Error {
    const where = `the reply ends after row ${this.#row.line} without ${due(this.#section)}`;
    return badReply('TRUNCATED', `${where}: it was cut off, or is still being written`);
  }

  #outside(row: number): Error {
    return this.#section === 'ended'
      ? malformed(row, 1, 'something follows END-OF-FILE')
      : malformed(row, 1, 'START-OF-FILE is missing');
  }
}

type Section = 'start' | 'head' | 'fields' | 'data' | 'tail' | 'ended';

/** Which marker is allowed in which section, and where it leads. The first one is what a section must end with. */
const AFTER: { readonly [section in Section]: { readonly [marker: string]: Section } } = {
  start: { 'START-OF-FILE': 'head' },
  head: { 'START-OF-DATA': 'data', 'START-OF-FIELDS': 'fields' },
  fields: { 'END-OF-FIELDS': 'head' },
  data: { 'END-OF-DATA': 'tail' },
  tail: { 'END-OF-FILE': 'ended' },
  ended: {},
};
const MARKERS = new Set(Object.values(AFTER).flatMap((markers) => Object.keys(markers)));
const NEEDS_FIELDS = new Set(['getdata', 'gethistory']);
/** Nothing else counts as blank: not a byte order mark in the middle, for example. */
const BLANK = /^[ \t]*$/;
const MAX_FIELDS = 5_000;
/** Small enough that their places stay in the cache. */
const WINDOW_BYTES = 64 * 1024;
const [LF, HASH] = [0x0a, 0x23];
const UNCHECKED = 'the layout of its rows is not known here: only the frame was checked';

/** The end of whole lines, as many as are worth one search for delimiters, and at least one. */
function someLines(block: Buffer, from: number): number {
  const end = from + WINDOW_BYTES;
  if (end >= block.length) return block.length;
  const before = block.lastIndexOf(LF, end - 1) + 1;
  return before > from ? before : block.indexOf(LF, end) + 1;
}

function due(section: Section): string {
  return Object.keys(AFTER[section])[0] ?? 'nothing';
}

function shortened(value: string): string {
  return value.slice(0, 100);
}
