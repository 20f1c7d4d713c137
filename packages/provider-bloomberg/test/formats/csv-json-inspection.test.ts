import { describe, expect, test } from 'vitest';
import { inspectReply } from '../../src/formats/reply-inspection.ts';
import { inspect, verdict } from './replies.ts';

const HEADER =
  'DL_REQUEST_ID,DL_REQUEST_NAME,DL_SNAPSHOT_START_TIME,DL_SNAPSHOT_TZ,IDENTIFIER,RC,PX_LAST,NAME';
const IBM =
  'r4nD0mId,octoEod,2026-01-15T22:04:44,America/New_York,IBM US Equity,0,231.45,"IBM, ""Big Blue"""';
const NOPE = 'r4nD0mId,octoEod,2026-01-15T22:04:44,America/New_York,NOPE US Equity,10,,';
const CSV = `${HEADER}\n${IBM}\n${NOPE}\n`;

describe('a CSV response', () => {
  test('is counted by return code, wherever it is cut into chunks', () => {
    const text = `${CSV}${IBM.replace('231.45', '')}\n`;
    for (let size = 1; size < 60; size += 1)
      expect(inspect(text, size)).toEqual({
        facts: {
          form: 'csv',
          rows: 3,
          returnCodes: { '0': 2, '10': 1 },
          nulls: { empty: 1 },
          fields: ['PX_LAST', 'NAME'],
          timeStarted: '2026-01-15T22:04:44',
        },
        warnings: ['return code 10 (security not found) once: row 3'],
      });
  });

  test.each([
    ['with CRLF', CSV.replaceAll('\n', '\r\n')],
    ['with line ends inside quotes', CSV.replace('Big Blue', 'Big\nBlue\r\n')],
    ['with a byte order mark', `\uFEFF${CSV}`],
    ['with quoted names', CSV.replace(/^[^\n]*/, (line) => line.replaceAll(/\w+/g, '"$&"'))],
    [
      'of a dataset, without return codes',
      'DL_DATASET,DL_SNAPSHOT_DATE,ID\na,2026-01-15,x\nb,2026-01-15,y\n',
    ],
  ])('is accepted %s', (_, text) => {
    for (const size of [1, 7, 1_000_000])
      expect(inspect(text, size).facts).toMatchObject({ rows: 2 });
  });

  test('may be a header alone', () => {
    expect(inspect(`${HEADER}\n`).facts).toMatchObject({ rows: 0, fields: ['PX_LAST', 'NAME'] });
  });

  test('without a last line end is delivered with a warning', () => {
    expect(inspect(CSV.trimEnd()).warnings.join()).toContain('the last row has no line end');
  });

  test.each([
    ['cut inside its header', HEADER.slice(0, 40), 'TRUNCATED: the reply ends inside its header'],
    [
      'cut inside a row',
      CSV.slice(0, -40),
      'TRUNCATED: row 3, the last one: it has 3 fields, and the header 8',
    ],
    [
      'cut inside a quoted field',
      CSV.slice(0, CSV.indexOf('Blue')),
      'TRUNCATED: row 2: the reply ends inside a quoted field',
    ],
    [
      'with a field more',
      CSV.replace('231.45', '231,45'),
      'MALFORMED: row 2, column 10: it has 9 fields, and the header 8',
    ],
    [
      'with a field less',
      CSV.replace('231.45,', ''),
      'MALFORMED: row 2, column 8: it has 7 fields',
    ],
    [
      'with a column twice',
      CSV.replace('NAME\n', 'PX_LAST\n'),
      'MALFORMED: row 1, column 8: a column has no name, or is there twice',
    ],
    [
      'with another delimiter',
      CSV.replaceAll(',', ';'),
      'MALFORMED: row 1, column 1: there is one column',
    ],
    [
      'with something behind a quote',
      CSV.replace('"""\n', '"""x\n'),
      'MALFORMED: row 2, column 8: something follows the closing quote',
    ],
    [
      'with a quote inside a field',
      CSV.replace('231.45', '23"1.45'),
      'MALFORMED: row 2, column 7: a quote stands inside',
    ],
    [
      'with a return code that is a word',
      CSV.replace(',10,', ',ten,'),
      'MALFORMED: row 3, column 6: the return code is no whole number',
    ],
    [
      'that is no UTF-8',
      Buffer.from(CSV.replace('NOPE', 'SOCI\u00C9T\u00C9'), 'latin1'),
      'MALFORMED: row 3: it is not UTF-8',
    ],
    ['of another vendor', 'id,amount\n1,10.00\n', 'UNKNOWN_FORM'],
  ])('is refused %s', (_, text, expected) => {
    for (const size of [1, 7, 1_000_000])
      expect(verdict(text, size)).toContain(`integrity ${expected}`);
  });

  test('with a row that does not end is refused before it fills the memory', () => {
    const inspection = inspectReply();
    inspection.write(Buffer.from(`${HEADER}\n"`));
    const chunk = Buffer.alloc(64 * 1024, 'a,\n');
    let chunks = 0;
    const write = (): void => {
      for (; chunks < 16_384; chunks += 1) inspection.write(chunk);
    };
    expect(write).toThrow(/row 2 is longer than 8388608 bytes/);
    expect(chunks).toBeLessThan(300);
  });
});

describe('a JSON response', () => {
  const rows = [
    {
      DL_REQUEST_ID: 'r4nD0mId',
      DL_SNAPSHOT_START_TIME: '2026-01-15T22:04:44',
      IDENTIFIER: 'IBM US Equity',
      RC: 0,
      PX_LAST: 231.45,
      NAME: 'a } "b" ] \\',
    },
    {
      DL_REQUEST_ID: 'r4nD0mId',
      DL_SNAPSHOT_START_TIME: '2026-01-15T22:04:44',
      IDENTIFIER: 'X',
      RC: 0,
      PX_LAST: null,
      NAME: ['{', { a: 1 }],
    },
    {
      DL_REQUEST_ID: 'r4nD0mId',
      DL_SNAPSHOT_START_TIME: '2026-01-15T22:04:44',
      IDENTIFIER: 'NOPE',
      RC: '10',
      PX_LAST: null,
      NAME: null,
    },
  ];
  const JSON_TEXT = JSON.stringify(rows);

  test.each([
    ['in one line', JSON_TEXT],
    ['over many lines', `\r\n${JSON.stringify(rows, null, 2)}\n\n`],
  ])('is counted by return code, %s, wherever it is cut into chunks', (_, text) => {
    for (let size = 1; size < 60; size += 1)
      expect(inspect(text, size)).toEqual({
        facts: {
          form: 'json',
          rows: 3,
          returnCodes: { '0': 2, '10': 1 },
          nulls: { empty: 1 },
          fields: ['PX_LAST', 'NAME'],
          timeStarted: '2026-01-15T22:04:44',
        },
        warnings: ['return code 10 (security not found) once: row 3'],
      });
  });

  test('may have no rows', () => {
    expect(inspect('[ ]').facts).toMatchObject({ rows: 0, fields: [] });
  });

  test.each([
    [
      'cut after a row',
      JSON_TEXT.slice(0, -1),
      'TRUNCATED: the array of rows has no end after row 3',
    ],
    ['cut after a comma', `${JSON_TEXT.slice(0, -1)},`, 'TRUNCATED'],
    [
      'cut inside a row',
      JSON_TEXT.slice(0, -10),
      'TRUNCATED: the array of rows has no end after row 2',
    ],
    ['cut inside the first row', JSON_TEXT.slice(0, 30), 'TRUNCATED'],
    ['with a comma too much', `${JSON_TEXT.slice(0, -1)},]`, 'MALFORMED: row 4'],
    [
      'with a comma too few',
      JSON_TEXT.replace('},{', '}{'),
      'MALFORMED: row 2: it is not an object',
    ],
    ['followed by something', `${JSON_TEXT}1`, 'MALFORMED: row 4: it is not an object in an array'],
    ['with a number among its rows', JSON_TEXT.replace('},{', '},1,{'), 'MALFORMED: row 2'],
    ['with a broken number', JSON_TEXT.replace('231.45', '231.4.5'), 'MALFORMED: row 1'],
    ['with braces that do not match', JSON_TEXT.replace('{"a":1}', '{"a":1]'), 'MALFORMED'],
    [
      'with a name less',
      JSON_TEXT.replace('"PX_LAST":null,', ''),
      'MALFORMED: row 2, column 5: it has 5 names, and the first row 6',
    ],
    [
      'with another name',
      JSON_TEXT.replace('"PX_LAST":null', '"PX_MID":null'),
      'MALFORMED: row 2, column 5',
    ],
    [
      'with a return code that is a word',
      JSON_TEXT.replace('"10"', '"ten"'),
      'MALFORMED: row 3: RC',
    ],
    [
      'that is no UTF-8',
      Buffer.from(JSON_TEXT.replace('NOPE', 'SOCI\u00C9T\u00C9'), 'latin1'),
      'it is not UTF-8',
    ],
    ['of another vendor', '[{"id":1}]', 'MALFORMED: row 1: it has no DL_ column'],
    ['that is an object', '{"DL_REQUEST_ID":1}', 'UNKNOWN_FORM'],
  ])('is refused %s', (_, text, expected) => {
    for (const size of [1, 7, 1_000_000]) {
      const found = verdict(text, size);
      expect(found).toContain(expected);
      expect(found).toContain('integrity ');
    }
  });

  test('with a row that does not end is refused before it fills the memory', () => {
    const inspection = inspectReply();
    inspection.write(Buffer.from('[{"DL_REQUEST_ID":"'));
    const chunk = Buffer.alloc(64 * 1024, 'a');
    let chunks = 0;
    const write = (): void => {
      for (; chunks < 16_384; chunks += 1) inspection.write(chunk);
    };
    expect(write).toThrow(/row 1 is longer than 8388608 bytes/);
    expect(chunks).toBe(127);
  });
});
