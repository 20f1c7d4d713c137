import type { Random } from './random.ts';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** The bytes after one to four changes of the sort that transfers, editors and vendors make. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  for (let left = 1 + random.below(4); left > 0; left -= 1)
    changed = random.pick(MUTATIONS)(changed, random);
  return changed;
}

const MARKERS = 'START-OF-FILE END-OF-FILE START-OF-DATA END-OF-DATA START-OF-FIELDS END-OF-FIELDS';
const HEADERS = 'DATARECORDS=2 DELIMITER=; DELIMITER=| PROGRAMNAME=getdata OUTPUTFORMAT=fixed';
const PIECES =
  '| || , " "" # ## = ; { } [ ] \\ \uFEFF N.S. -1 0 999999999999 SECURITY| null },{ ,{}';
const TOKENS = [
  ...`${MARKERS} ${HEADERS}`.split(' ').map((line) => `${line}\n`),
  ...PIECES.split(' '),
  '\n',
  '\r\n',
  '\r',
  '\0',
  ' ',
].map((text) => Buffer.from(text));

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => splice(bytes, random, Buffer.alloc(0), 1 + random.below(3)),
  (bytes, random) => splice(bytes, random, Buffer.alloc(0), random.below(80)),
  (bytes, random) => splice(bytes, random, Buffer.of(random.below(256)), 1),
  (bytes, random) => splice(bytes, random, Buffer.of(random.below(256)), 0),
  (bytes, random) => splice(bytes, random, random.pick(TOKENS), 0),
  (bytes, random) => splice(bytes, random, random.pick(TOKENS), 1 + random.below(4)),
  (bytes, random) => {
    const from = random.below(bytes.length + 1);
    return splice(bytes, random, bytes.subarray(from, from + random.below(120)), 0);
  },
  (bytes, random) => atLines(bytes, random, (line) => [line, line]),
  (bytes, random) => atLines(bytes, random, () => []),
  (bytes, random) => atLines(bytes, random, (line) => [line.replace(/\r?$/, '\r')]),
  (bytes, random) =>
    atLines(bytes, random, (line) => [line.replace(/\d+/, String(random.below(12)))]),
  (bytes, random) =>
    atLines(bytes, random, (line) => [line.replaceAll('|', random.pick([';', ',', '']))]),
  (bytes, random) => atLines(bytes, random, (line) => [line.split('|').toReversed().join('|')]),
  (bytes, random) => swapLines(bytes, random),
];

function splice(bytes: Buffer, random: Random, put: Buffer, instead: number): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + instead)]);
}

function atLines(bytes: Buffer, random: Random, change: (line: string) => string[]): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const at = random.below(lines.length);
  lines.splice(at, 1, ...change(lines[at] ?? ''));
  return Buffer.from(lines.join('\n'), 'latin1');
}

function swapLines(bytes: Buffer, random: Random): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
  return Buffer.from(lines.join('\n'), 'latin1');
}
