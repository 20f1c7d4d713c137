import { createHash, type Hash } from 'node:crypto';
import {
  type AuditRecord,
  type Head,
  NO_RECORDS,
  OWN_ACTIONS,
  readRecord,
} from './audit-record.ts';
import type { Checkpoint } from './checkpoint.ts';
import { firstNumberOf } from './segment-name.ts';

/** What looking at a whole log has shown. */
export interface ChainVerdict {
  /** Whole records that follow each other from the first on. */
  readonly records: number;
  readonly segments: number;
  /** Where the good part ends. */
  readonly head: Head;
  readonly firstAt?: string;
  readonly lastAt?: string;
  /** Checkpoints that know a record of this log, and agree. */
  readonly checkpoints: number;
  /** The last record that a checkpoint knows: nothing up to it is missing. */
  readonly provenTo: number;
  /** Records that say of a place before them that a process was killed while it wrote there. */
  readonly torn: readonly number[];
  /** Half a line stands at the end: a crash, or a record that is being written. The next record closes it. */
  readonly openBytes: number;
  /** The first thing that is not as it was written. */
  readonly bad?: BadPlace;
}

export interface BadPlace {
  /** The number of the first record that is wrong or missing. */
  readonly n: number;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

interface Suspect {
  readonly place: BadPlace;
  readonly hash: Hash;
  bytes: number;
}

/** No code of a record is like it. */
const CONTRADICTION = Symbol('several');

/**
 * Reads a log from its first line to its last and finds the first place that was changed: an edit, a deletion, an insertion,
 * another order. A log whose last records were taken away whole looks like a shorter log; only a checkpoint that was kept
 * elsewhere tells.
 */
export class ChainCheck {
  readonly #key: Uint8Array;
  /** By number: the code that was kept, or that several were. */
  readonly #checkpoints = new Map<number, string | typeof CONTRADICTION>();
  #latest = 0;
  readonly #torn: number[] = [];
  #head: Head = NO_RECORDS;
  #file = '';
  #line = 0;
  #segments = 0;
  #isEnded = false;
  #suspect: Suspect | undefined;
  #openBytes = 0;
  #times: readonly string[] = [];
  #agreeing = 0;
  #provenTo = 0;
  #bad: BadPlace | undefined;

  constructor(key: Uint8Array, checkpoints: readonly Checkpoint[] = []) {
    this.#key = key;
    for (const one of checkpoints) this.know(one);
  }

  /**
   * One more checkpoint, in any order and as often as it was kept; before the first line. Who made the log anew may have sent
   * one as well: then the older one contradicts it.
   */
  know({ n, mac }: Head): void {
    this.#latest = Math.max(this.#latest, n);
    const known = this.#checkpoints.get(n) ?? mac;
    this.#checkpoints.set(n, known === mac ? mac : CONTRADICTION);
  }

  get isBad(): boolean {
    return this.#bad !== undefined;
  }

  /** The next file, in the order of names. */
  segment(file: string): void {
    this.#condemn();
    if (this.#openBytes > 0) this.#fail('its last line is not whole');
    const expected = this.#head.n + 1;
    const isRightFile = firstNumberOf(file) === expected;
    if (isRightFile && this.#segments > 0 && !this.#isEnded)
      this.#fail('the segment was not brought to its end');
    [this.#file, this.#line, this.#isEnded] = [file, 0, false];
    this.#segments += 1;
    if (!isRightFile) this.#fail(`a segment that begins with record ${expected} should be here`);
  }

  /**
   * One line, without its end. `isWhole` is false for what stands behind the last line's end.
   * @returns the record, if all is well up to here
   */
  line(text: Buffer, isWhole: boolean): AuditRecord | undefined {
    if (this.#bad !== undefined) return undefined;
    this.#line += 1;
    if (!isWhole) {
      this.#condemn();
      this.#openBytes = text.length;
      return undefined;
    }
    const read = this.#read(text);
    if (typeof read === 'string') return this.#suspectLine(text, read);
    if (this.#isExplained(read)) return this.#accept(read);
    this.#suspectLine(text, 'it speaks of half a line that is not there');
    this.#condemn();
    return undefined;
  }

  end(): ChainVerdict {
    this.#condemn();
    if (this.#latest > this.#head.n)
      this.#fail(`a checkpoint knows record ${this.#latest}: the end of the log was cut off`);
    const [firstAt, lastAt] = this.#times;
    return {
      records: this.#head.n,
      segments: this.#segments,
      head: this.#head,
      ...(firstAt !== undefined && lastAt !== undefined && { firstAt, lastAt }),
      checkpoints: this.#agreeing,
      provenTo: this.#provenTo,
      torn: this.#torn,
      openBytes: this.#bad === undefined ? this.#openBytes : 0,
      ...(this.#bad !== undefined && { bad: this.#bad }),
    };
  }

  /** The record that a line holds, or why it must not stand here. */
  #read(text: Buffer): AuditRecord | string {
    const record = readRecord(text.toString('utf8'), this.#key);
    if (record === undefined) return 'the line is not as it was written';
    const expected = this.#head.n + 1;
    if (record.n !== expected) return `record ${record.n} stands where ${expected} should be`;
    if (record.prev !== this.#head.mac) return 'it does not follow the record before it';
    if (this.#isEnded) return 'something follows the end of the segment';
    const known = this.#checkpoints.get(record.n);
    if (known !== undefined && known !== record.mac)
      return 'a checkpoint knows another record of this number';
    return record;
  }

  #suspectLine(text: Buffer, why: string): undefined {
    this.#suspect ??= { place: this.#place(why), hash: createHash('sha256'), bytes: 0 };
    this.#suspect.hash.update(text).update('\n');
    this.#suspect.bytes += text.length + 1;
  }

  /** Half a line is no damage when the record behind it says that it was found there. */
  #isExplained({ action, details = {} }: AuditRecord): boolean {
    const suspect = this.#suspect;
    if (action !== OWN_ACTIONS.torn) return suspect === undefined;
    const sha256 = suspect?.hash.copy().digest('hex');
    return suspect?.bytes === details['bytes'] && sha256 === details['sha256'];
  }

  #accept(record: AuditRecord): AuditRecord {
    if (this.#suspect !== undefined) this.#torn.push(record.n);
    this.#suspect = undefined;
    this.#head = { n: record.n, mac: record.mac };
    this.#times = [this.#times[0] ?? record.at, record.at];
    this.#isEnded = record.action === OWN_ACTIONS.segmentEnd;
    if (this.#checkpoints.has(record.n)) {
      this.#agreeing += 1;
      this.#provenTo = record.n;
    }
    return record;
  }

  /** What looked wrong and was not explained is wrong. */
  #condemn(): void {
    if (this.#suspect !== undefined) this.#bad ??= this.#suspect.place;
  }

  #fail(why: string): void {
    this.#bad ??= this.#place(why);
  }

  #place(why: string): BadPlace {
    return { n: this.#head.n + 1, file: this.#file, line: this.#line, why };
  }
}
