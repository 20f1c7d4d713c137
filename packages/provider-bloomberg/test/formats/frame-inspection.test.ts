import { describe, expect, test } from 'vitest';
import { inspectReply } from '../../src/formats/reply-inspection.ts';
import { frame, GETDATA, inspect, verdict } from './replies.ts';

describe('a getdata reply', () => {
  test('is counted by return code, with what is missing told apart', () => {
    const text = frame({
      program: 'getdata',
      fields: ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'],
      rows: [
        'X US Equity|0|10|1.5|| |N.A.|N.D.|N.S.|FLD UNKNOWN|UNSPEC|BEFORE MKT|AFTER MKT|',
        'Y US Equity|0|10|N.A|N.X.|NA|N.S. |FLD UNKNOWS|UNSPEX|BEFORE|A|U|  |',
        'Z US Equity|10|10| | | | | | | | | | |',
      ],
    });
    for (const size of [1, 2, 3, 7, 64, 1_000_000])
      expect(inspect(text, size)).toEqual({
        facts: {
          form: 'frame',
          program: 'getdata',
          layout: 'data',
          rows: 3,
          returnCodes: { '0': 2, '10': 1 },
          nulls: {
            empty: 1,
            blank: 1,
            'N.A.': 1,
            'N.D.': 1,
            'N.S.': 1,
            UNSPEC: 1,
            'BEFORE MKT': 1,
            'AFTER MKT': 1,
            'FLD UNKNOWN': 1,
          },
          fields: ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'],
          replyFileName: 'px0115a.out',
          runDate: '20260115',
          timeStarted: 'Thu Jan 15 11:19:10 EST 2026',
          timeFinished: 'Thu Jan 15 11:19:44 EST 2026',
        },
        warnings: [
          'return code 10 (security not found) once: row 24',
          'N.S., fields that the licence does not cover: F once',
          'FLD UNKNOWN, fields that Bloomberg does not know: G once',
        ],
      });
  });

  test('may have no rows', () => {
    const empty = frame({ program: 'getdata', fields: ['A'], rows: [], tail: ['DATARECORDS=0'] });
    expect(inspect(empty).facts).toMatchObject({ rows: 0, returnCodes: {}, nulls: {} });
  });

  test.each([
    ['with CRLF', GETDATA.replaceAll('\n', '\r\n')],
    ['without a last line end', GETDATA.trimEnd()],
    ['with blank lines at the end', `${GETDATA}\n\n\n`],
    ['with a byte order mark', `\uFEFF${GETDATA}`],
    ['with a count that is right', GETDATA.replace('END-OF-DATA\n', '$&DATARECORDS=2\n')],
    ['with another delimiter', GETDATA.replaceAll('|', '^').replace('FIRM', 'DELIMITER=^\n$&')],
    ['with a tab for delimiter', GETDATA.replaceAll('|', '\t').replace('FIRM', 'DELIMITER=\t\n$&')],
    ['with a row that failed and has no values', GETDATA.replace('10|4| | | | |', '10|0|')],
  ])('is accepted %s', (_, text) => {
    for (const size of [1, 13, 1_000_000]) {
      const { facts, warnings } = inspect(text, size);
      expect(facts).toMatchObject({ rows: 2, returnCodes: { '0': 1, '10': 1 } });
      expect(warnings).toEqual([expect.stringMatching(/^return code 10 .* once: row 1[78]$/)]);
    }
  });

  test.each([
    ['mixed line ends', GETDATA.replace('\n', '\r\n'), 'some lines end with CRLF'],
    ['a comment', GETDATA.replace('NOPE', '# throttled\n$&'), 'lines that begin with #: 1'],
    ['an unknown header', GETDATA.replace('FIRM', 'SHOESIZE=43\n$&'), 'unknown headers: SHOESIZE'],
    ['an unknown return code', GETDATA.replace('|10|', '|77|'), 'return code 77 (unknown) once'],
    ['a broken bulk cell', GETDATA.replace('|USD', '|;2;2;2;5;20280301;'), 'a bulk cell is not'],
    ['Latin-1', Buffer.from(GETDATA.replace('INTL', 'SOCI\u00C9T\u00C9'), 'latin1'), 'not UTF-8'],
  ])('is delivered with %s, and a warning', (_, text, expected) => {
    for (const size of [1, 1_000_000])
      expect(inspect(text, size).warnings.join('\n')).toContain(expected);
  });

  test.each([
    [
      'cut after END-OF-DATA',
      GETDATA.slice(0, GETDATA.indexOf('TIMEFINISHED')),
      'TRUNCATED: the reply ends after row 18 without END-OF-FILE',
    ],
    ['cut inside the last marker', GETDATA.slice(0, -4), 'MALFORMED: row 20, column 1'],
    [
      'cut inside the data',
      GETDATA.slice(0, GETDATA.indexOf('NOPE')),
      'TRUNCATED: the reply ends after row 16 without END-OF-DATA',
    ],
    [
      'cut inside a row',
      GETDATA.slice(0, GETDATA.indexOf('BUSINESS')),
      'MALFORMED: row 16, column 5: the last cell is not closed',
    ],
    ['cut inside the first line', 'START-OF', 'TRUNCATED'],
    ['without START-OF-FILE', GETDATA.slice(14), 'UNKNOWN_FORM'],
    [
      'without START-OF-FIELDS',
      GETDATA.replace('START-OF-FIELDS\n', ''),
      'MALFORMED: row 7, column 1: it is neither a header',
    ],
    [
      'without END-OF-FIELDS',
      GETDATA.replace('END-OF-FIELDS\n', ''),
      'MALFORMED: row 13, column 1: it is no mnemonic',
    ],
    [
      'without any field',
      GETDATA.replace(/START-OF-FIELDS[^]*END-OF-FIELDS\n/, ''),
      'MALFORMED: row 9, column 1: the data begin, and no field was named',
    ],
    [
      'without START-OF-DATA',
      GETDATA.replace('START-OF-DATA\n', ''),
      'MALFORMED: row 15, column 1: it is neither',
    ],
    [
      'without END-OF-DATA',
      GETDATA.replace('END-OF-DATA\n', ''),
      'MALFORMED: row 18, column 1: there is no delimiter',
    ],
    [
      'with START-OF-DATA twice',
      GETDATA.replace('NOPE', 'START-OF-DATA\n$&'),
      'MALFORMED: row 17, column 1: START-OF-DATA stands where END-OF-DATA is due',
    ],
    [
      'with END-OF-DATA twice',
      GETDATA.replace('END-OF-DATA', '$&\n$&'),
      'MALFORMED: row 19, column 1: END-OF-DATA stands where END-OF-FILE is due',
    ],
    [
      'with its fields twice',
      GETDATA.replace('TIMESTARTED', 'START-OF-FIELDS\nA\nEND-OF-FIELDS\n$&'),
      'MALFORMED: row 14, column 1: START-OF-FIELDS stands where START-OF-DATA is due',
    ],
    [
      'twice in one file',
      `${GETDATA}${GETDATA}`,
      'MALFORMED: row 21, column 1: START-OF-FILE stands where nothing is due',
    ],
    [
      'followed by something',
      `${GETDATA}more\n`,
      'MALFORMED: row 21, column 1: something follows END-OF-FILE',
    ],
    [
      'with a wrong count',
      GETDATA.replace('END-OF-DATA\n', '$&DATARECORDS=3\n'),
      'COUNT_MISMATCH: DATARECORDS says 3, and there are 2 rows',
    ],
    [
      'with a count that is no number',
      GETDATA.replace('END-OF-DATA\n', '$&DATARECORDS=two\n'),
      'MALFORMED: row 19, column 13',
    ],
    [
      'with a header that contradicts another',
      GETDATA.replace('FIRM', 'RUNDATE=20260116\n$&'),
      'MALFORMED: row 5, column 1: the header RUNDATE is there twice',
    ],
    [
      'with a field less in a row',
      GETDATA.replace('|USD', ''),
      'MALFORMED: row 16, column 3: it announces 4 fields and has 3',
    ],
    [
      'with a field more in a row',
      GETDATA.replace('|USD', '|USD|USD'),
      'MALFORMED: row 16, column 3: it announces 4 fields and has 5',
    ],
    [
      'with a row of other fields',
      GETDATA.replace('4|BBG000BLNNH6|', '3|'),
      'MALFORMED: row 16, column 3: it has 3 fields, and 4 were requested',
    ],
    [
      'with a return code that is a word',
      GETDATA.replace('|10|', '|ten|'),
      'MALFORMED: row 17, column 2: the return code is no whole number',
    ],
    ['with an empty return code', GETDATA.replace('|10|', '||'), 'MALFORMED: row 17, column 2'],
    [
      'with another delimiter than it says',
      GETDATA.replaceAll('|', ';'),
      'MALFORMED: row 16, column 1: there is no delimiter',
    ],
    [
      'with a delimiter that is none',
      GETDATA.replace('FIRM', 'DELIMITER=||\n$&'),
      'MALFORMED: row 16: the header DELIMITER',
    ],
    ['that is empty', '', 'EMPTY_FILE'],
    [
      'that is an error reply',
      '## INVALID HEADER: FOO\n',
      'ERROR_REPLY: Bloomberg refused the request: INVALID HEADER: FOO; correct the request',
    ],
    [
      'that is compressed',
      Buffer.of(0x1f, 0x8b, 8, 0),
      'UNKNOWN_FORM: the reply is compressed: the step "decompress"',
    ],
    [
      'that is uuencoded',
      'begin 600 px.out\n',
      'UNKNOWN_FORM: the reply is uuencoded: the step "decode"',
    ],
    [
      'that is a page of a proxy',
      '<html><body>Bad gateway</body></html>',
      'UNKNOWN_FORM: it has no form',
    ],
  ])('is refused %s', (_, text, expected) => {
    for (const size of [1, 7, 1_000_000])
      expect(verdict(text, size)).toContain(`integrity ${expected}`);
  });

  test('cut inside a character of several bytes is refused', () => {
    const bytes = Buffer.from(GETDATA.replace('MACHINES', 'MASCHINENFABRIK \u00DCBERLINGEN'));
    const cut = bytes.subarray(0, bytes.indexOf(0xc3) + 1);
    for (const size of [1, 7, 1_000_000])
      expect(verdict(cut, size)).toContain('integrity MALFORMED: row 16');
  });

  test('with a line that does not end is refused before it fills the memory', () => {
    const inspection = inspectReply();
    inspection.write(Buffer.from(GETDATA.slice(0, GETDATA.indexOf('BUSINESS'))));
    const chunk = Buffer.alloc(64 * 1024, 'A');
    let chunks = 0;
    const write = (): void => {
      for (; chunks < 16_384; chunks += 1) inspection.write(chunk);
    };
    expect(write).toThrow(/a line is longer than 8388608 bytes/);
    expect(chunks).toBe(127);
  });

  test('is the same wherever it is cut into chunks', () => {
    const expected = inspect(GETDATA);
    for (let size = 1; size < 70; size += 1) expect(inspect(GETDATA, size)).toEqual(expected);
  });
});

describe('a gethistory reply', () => {
  const horizontal = frame({
    program: 'gethistory',
    headers: ['HIST_FORMAT=horizontal', 'DATERANGE=20260112|20260113'],
    fields: ['PX_LAST', 'PX_VOLUME'],
    rows: [
      'IBM US Equity|0|2|20260112|231.45|N.A.|',
      'IBM US Equity|0|2|20260113|232.05|120000|',
      'NOPE US Equity|10|2| | | |',
    ],
  });
  const vertical = frame({
    program: 'gethistory',
    fields: ['PX_LAST'],
    rows: [
      'START SECURITY|IBM US Equity|PX_LAST|',
      'IBM US Equity|01/12/2026|231.45|',
      'IBM US Equity|01/13/2026|N.S.|',
      'END SECURITY|IBM US Equity|PX_LAST|',
      'START SECURITY|NOPE US Equity|PX_LAST|',
      'END SECURITY|NOPE US Equity|PX_LAST|10|',
    ],
  });

  test('is counted in its horizontal form', () => {
    expect(inspect(horizontal).facts).toMatchObject({
      program: 'gethistory',
      layout: 'horizontal history',
      rows: 3,
      returnCodes: { '0': 2, '10': 1 },
      nulls: { 'N.A.': 1 },
    });
  });

  test('is counted in its vertical form', () => {
    const { facts, warnings } = inspect(vertical);
    expect(facts).toMatchObject({
      layout: 'vertical history',
      rows: 2,
      returnCodes: { '0': 2, '10': 1 },
      nulls: { 'N.S.': 1 },
    });
    expect(warnings).toEqual([
      'return code 10 (security not found) once: row 18',
      'N.S., fields that the licence does not cover: PX_LAST once',
    ]);
  });

  test.each([
    [
      'a block without its end',
      vertical.replace('END SECURITY|IBM US Equity|PX_LAST|\n', ''),
      'row 16, column 1: a block begins before',
    ],
    [
      'a block without its start',
      vertical.replace('START SECURITY|NOPE US Equity|PX_LAST|\n', ''),
      'row 17, column 1: a block ends that has not begun',
    ],
    [
      'a last block without its end',
      vertical.replace(/END SECURITY\|NOPE.*\n/, ''),
      'row 18: the block that began in row 17 has no end',
    ],
    [
      'a row of another security',
      vertical.replace('IBM US Equity|01/13', 'JBM US Equity|01/13'),
      'row 15, column 1: it is of another security',
    ],
    [
      'a row outside of any block',
      vertical.replace('START SECURITY|NOPE', 'IBM US Equity|x|1|\n$&'),
      'row 17, column 1: a row stands outside',
    ],
    [
      'the end of another block',
      vertical.replace('END SECURITY|IBM', 'END SECURITY|JBM'),
      'row 16, column 2: another block ends',
    ],
    [
      'a row without its value',
      vertical.replace('|231.45', ''),
      'row 14, column 2: it has 2 cells where 3 are due',
    ],
    [
      'a horizontal row without its date',
      horizontal.replace('20260112|231', '231'),
      'row 16, column 3: it announces 2 fields and has 1',
    ],
  ])('is refused with %s', (_, text, expected) => {
    for (const size of [1, 1_000_000])
      expect(verdict(text, size)).toContain(`integrity MALFORMED: ${expected}`);
  });

  test.each([2, 6])('may declare %i records: what Bloomberg counts is not public', (count) => {
    const counted = vertical.replace('END-OF-DATA\n', `$&DATARECORDS=${count}\n`);
    expect(verdict(counted)).toBe('accepted');
    expect(verdict(counted.replace(/(DATARECORDS)=./, '$1=3'))).toContain('COUNT_MISMATCH');
  });
});

describe('a getactions reply', () => {
  const actions = frame({
    program: 'getactions',
    fields: [],
    rows: [
      'IBM US Equity|EQ0010080100001000|100001|0|8|19282|DVD_CASH|N|INTL BUSINESS|CP_GROSS_AMT|1.67|CP_DVD_TYP|1000|',
      'NOPE US Equity| | |10|0|',
    ],
  });

  test('is counted', () => {
    expect(inspect(actions).facts).toMatchObject({
      layout: 'actions',
      rows: 2,
      returnCodes: { '0': 1, '10': 1 },
    });
  });

  test.each([
    [
      'a name without its value',
      actions.replace('|8|', '|7|').replace('|1000|', '|'),
      'its names and values do not come in pairs',
    ],
    ['a cell less', actions.replace('|1000|', '|'), 'it announces 8 fields and has 7'],
    [
      'half an identity',
      actions.replace('NOPE US Equity| | |10|0|', 'NOPE US Equity| | |10|'),
      'the number of fields is missing',
    ],
  ])('is refused with %s', (_, text, expected) => {
    expect(verdict(text)).toContain(expected);
  });
});

test('rows of a program whose layout is not public are counted, and a warning says so', () => {
  const ticks = frame({ program: 'getticks', fields: ['TRADE'], rows: ['a b c', 'IBM|1', '|'] });
  const { facts, warnings } = inspect(ticks);
  expect(facts).toMatchObject({ layout: 'unknown', rows: 3 });
  expect(warnings).toEqual([expect.stringContaining('only the frame was checked')]);
  expect(verdict(ticks.replace('END-OF-FILE\n', ''))).toContain('TRUNCATED');
});

test('rows of a bulk list may each have a width of their own', () => {
  const list = frame({
    program: 'getdata',
    headers: ['OUTPUTFORMAT=bulklist'],
    fields: ['CALL_SCHEDULE'],
    rows: ['X Corp|0|2|20280301|103.4|', 'X Corp|0|2|20290301|101.7|', 'Y Corp|0|1| |'],
  });
  expect(inspect(list).facts).toMatchObject({ rows: 3 });
  expect(verdict(list.replace('|103.4', ''))).toContain('it announces 2 fields and has 1');
});
