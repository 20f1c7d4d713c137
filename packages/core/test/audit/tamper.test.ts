import { expect, test } from 'vitest';
import { type Head, NO_RECORDS, OWN_ACTIONS, recordLine } from '../../src/audit/audit-record.ts';
import { ChainCheck, type ChainVerdict } from '../../src/audit/chain-check.ts';
import { segmentName } from '../../src/audit/segment-name.ts';
import { entry, key } from './log-bench.ts';

/** One line of a log and the file that it stands in. */
interface Line {
  readonly file: string;
  readonly text: string;
}

const RECORDS = 28;
const A_SEGMENT = 7;
const SEED = Number(process.env['OCTO_SEED'] ?? 20_260_116);

/** A log of four files; the mac of every record stands in `heads`. */
function madeLog(day = 16): { readonly lines: readonly Line[]; readonly heads: readonly Head[] } {
  const lines: Line[] = [];
  const heads: Head[] = [];
  let after = NO_RECORDS;
  for (let n = 1; n <= RECORDS; n++) {
    const action = n % A_SEGMENT === 0 ? OWN_ACTIONS.segmentEnd : 'file.deliver';
    const at = new Date(Date.UTC(2026, 0, day) + n * 1000).toISOString();
    const details = { key: `affirm/${n}.csv`, bytes: n * 7 };
    const { line, head } = recordLine({ at, entry: entry(action, details), after }, key);
    const file = segmentName(n - ((n - 1) % A_SEGMENT));
    lines.push({ file, text: line });
    heads.push((after = head));
  }
  return { lines, heads };
}

/** Such as a backup that was gone on with. */
const OTHER = madeLog(17);

function verdictOf(lines: readonly Line[], ...checkpoints: (Head | undefined)[]): ChainVerdict {
  const known = checkpoints.flatMap((one) => (one === undefined ? [] : [{ ...one, log: '' }]));
  const check = new ChainCheck(key, known);
  let file: string | undefined;
  for (const line of lines) {
    if (line.file !== file) check.segment((file = line.file));
    // A line's end in the middle makes two of it, as it would in a file.
    for (const text of line.text.split('\n')) check.line(Buffer.from(text, 'utf8'), true);
  }
  return check.end();
}

type Pick = (below: number) => number;
/** Changes the log; answers the number of the first record that is not where it was, as it was. */
type Tampering = (lines: Line[], pick: Pick) => number;

const foreign = (line: Line, pick: Pick): Line => ({
  ...line,
  text: line.text.replace(/"mac":"[0-9a-f]{8}/, `"mac":"${String(pick(1e8)).padStart(8, '0')}`),
});

const tamperings: Readonly<Record<string, Tampering>> = {
  'one byte is another': (lines, pick) => {
    const at = pick(lines.length);
    const bytes = Buffer.from(lines[at]!.text, 'utf8');
    const place = pick(bytes.length);
    bytes[place] = bytes[place]! ^ (1 + pick(255));
    lines[at] = { ...lines[at]!, text: bytes.toString('latin1') };
    return at + 1;
  },
  'a value is another': (lines, pick) => {
    const at = pick(lines.length);
    lines[at] = { ...lines[at]!, text: lines[at]!.text.replace(/"bytes":\d+/, '"bytes":1') };
    return at + 1;
  },
  'space is added': (lines, pick) => {
    const at = pick(lines.length);
    lines[at] = { ...lines[at]!, text: lines[at]!.text.replace(',', ', ') };
    return at + 1;
  },
  'a part of a line is gone': (lines, pick) => {
    const at = pick(lines.length);
    const { text } = lines[at]!;
    const from = pick(text.length);
    const cut = text.slice(0, from) + text.slice(from + 1 + pick(20));
    lines[at] = { ...lines[at]!, text: cut };
    return at + 1;
  },
  'lines are gone': (lines, pick) => {
    const at = pick(lines.length);
    lines.splice(at, 1 + pick(5));
    return at + 1;
  },
  'a file is gone': (lines, pick) => {
    const { file } = lines[pick(lines.length)]!;
    const at = lines.findIndex((line) => line.file === file);
    lines.splice(at, lines.filter((line) => line.file === file).length);
    return at + 1;
  },
  'a line stands there twice': (lines, pick) => {
    const at = pick(lines.length);
    lines.splice(at + 1, 0, lines[at]!);
    return at + 2;
  },
  'a line of another place is put in between': (lines, pick) => {
    const at = pick(lines.length);
    const from = pick(lines.length);
    lines.splice(at, 0, { ...lines[from]!, file: lines[at]!.file });
    return at === from ? at + 2 : at + 1;
  },
  'a line of somebody without the key is put in between': (lines, pick) => {
    const at = pick(lines.length);
    lines.splice(at, 0, foreign(lines[at]!, pick));
    return at + 1;
  },
  'a line is that of another log of this key': (lines, pick) => {
    const at = pick(lines.length);
    lines[at] = { ...lines[at]!, text: OTHER.lines[at]!.text };
    // The first record of a log follows none.
    return at === 0 ? 2 : at + 1;
  },
  'two lines are swapped': (lines, pick) => {
    const a = pick(lines.length);
    const b = (a + 1 + pick(lines.length - 1)) % lines.length;
    const [one, other] = [lines[a]!, lines[b]!];
    lines[a] = { ...other, file: one.file };
    lines[b] = { ...one, file: other.file };
    return Math.min(a, b) + 1;
  },
  'some lines are in another order': (lines, pick) => {
    const from = pick(lines.length - 1);
    const count = 2 + pick(Math.min(10, lines.length - from - 1));
    const texts = lines.slice(from, from + count).map(({ text }) => text);
    // By one place, so that none of them stays where it was.
    const turned = [...texts.slice(1), texts[0]!];
    for (const [index, text] of turned.entries())
      lines[from + index] = { ...lines[from + index]!, text };
    return from + 1;
  },
  'the end is cut off': (lines, pick) => {
    const at = pick(lines.length);
    lines.splice(at);
    return at + 1;
  },
  'all from one record on is made again without the key': (lines, pick) => {
    const at = pick(lines.length);
    for (let index = at; index < lines.length; index++) lines[index] = foreign(lines[index]!, pick);
    return at + 1;
  },
};

test('10,000 of 10,000 changes of a log are found, each at its first bad record', () => {
  const { lines, heads } = madeLog();
  expect(verdictOf(lines, heads.at(-1))).toMatchObject({ records: RECORDS, provenTo: RECORDS });
  const pick = generator(SEED);
  const names = Object.keys(tamperings);
  const missed: string[] = [];
  const found = new Map<string, number>();
  for (let index = 0; index < 10_000; index++) {
    const name = names[index % names.length]!;
    const changed = [...lines];
    const first = tamperings[name]!(changed, pick);
    if (changed.every((line, at) => line.text === lines[at]?.text) && changed.length === RECORDS) {
      index -= 1;
      continue;
    }
    const { bad } = verdictOf(changed, heads.at(-1));
    if (bad?.n === first) found.set(name, (found.get(name) ?? 0) + 1);
    else missed.push(`seed ${SEED}, change ${index} (${name}): record ${first}, found ${bad?.n}`);
  }
  expect(missed).toEqual([]);
  // Each kind was there often enough to mean something.
  expect(Math.min(...names.map((name) => found.get(name) ?? 0))).toBeGreaterThan(650);
});

test('records cut off at the end are missed without a checkpoint, and found with one', () => {
  const { lines, heads } = madeLog();
  const cut = lines.slice(0, 20);
  expect(verdictOf(cut).bad).toBeUndefined();
  expect(verdictOf(cut, heads[18]).bad).toBeUndefined();
  expect(verdictOf(cut, heads[24]).bad).toMatchObject({ n: 21 });
});

test('a log that was made anew with the key in hand is told by a checkpoint', () => {
  const { heads } = madeLog();
  let after = NO_RECORDS;
  const others = heads.map(() => {
    const { line, head } = recordLine({ at: '', entry: entry('other'), after }, key);
    after = head;
    return { file: segmentName(1), text: line };
  });
  expect(verdictOf(others).bad).toBeUndefined();
  expect(verdictOf(others, heads[13]).bad).toMatchObject({ n: 14 });
});

test('a log that was made anew is told by its old checkpoint, although there is a new one of the same number', () => {
  const { heads } = madeLog();
  let after = NO_RECORDS;
  const anew = heads.map(() => {
    const { line, head } = recordLine({ at: '', entry: entry('other'), after }, key);
    after = head;
    return { file: segmentName(1), text: line, head };
  });
  const [old, own] = [heads[13]!, anew[13]!.head];
  for (const kept of [
    [old, own],
    [own, old],
  ])
    expect(verdictOf(anew, ...kept).bad).toMatchObject({ n: 14 });
});

test('as many checkpoints as a year has minutes are taken, and the last one counts', () => {
  const { lines, heads } = madeLog();
  const check = new ChainCheck(
    key,
    Array.from({ length: 525_600 }, (_, index) => ({ ...heads[0]!, n: RECORDS + index, log: '' })),
  );
  check.segment(lines[0]!.file);
  check.line(Buffer.from(lines[0]!.text), true);
  expect(check.end().bad?.why).toContain(`record ${RECORDS + 525_599}`);
});

/** Numerical Recipes' generator: the same changes for the same seed. */
function generator(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
