import { describe, expect, test } from 'vitest';
import { frame, GETDATA, tableOf, verdict } from './replies.ts';

describe('a reply as a table', () => {
  test('getdata: security, return code, and the fields; blanks are null, other tokens stay', () => {
    const text = GETDATA.replace('231.450000', 'N.A.').replace('|USD|', '||');
    for (const size of [1, 7, 1_000_000])
      expect(tableOf(text, size)).toEqual({
        columns: ['SECURITY', 'RC', 'ID_BB_GLOBAL', 'NAME', 'PX_LAST', 'CRNCY'],
        rows: [
          ['IBM US Equity', '0', 'BBG000BLNNH6', 'INTL BUSINESS MACHINES CORP', 'N.A.', null],
          ['NOPE US Equity', '10', null, null, null, null],
        ],
      });
  });

  test('horizontal history: with the date', () => {
    const text = frame({
      program: 'gethistory',
      fields: ['PX_LAST'],
      rows: ['IBM US Equity|0|1|20260112|231.45|', 'NOPE US Equity|10|0|'],
    });
    expect(tableOf(text)).toEqual({
      columns: ['SECURITY', 'RC', 'DATE', 'PX_LAST'],
      rows: [
        ['IBM US Equity', '0', '20260112', '231.45'],
        ['NOPE US Equity', '10', null, null],
      ],
    });
  });

  test('vertical history: a row for each value, and one for a block that failed', () => {
    const text = frame({
      program: 'gethistory',
      fields: ['PX_LAST'],
      rows: [
        'START SECURITY|IBM US Equity|PX_LAST|',
        'IBM US Equity|01/12/2026|231.45|',
        'END SECURITY|IBM US Equity|PX_LAST|0|',
        'START SECURITY|NOPE US Equity|PX_LAST|',
        'END SECURITY|NOPE US Equity|PX_LAST|10|',
      ],
    });
    expect(tableOf(text)).toEqual({
      columns: ['SECURITY', 'RC', 'FIELD', 'DATE', 'VALUE'],
      rows: [
        ['IBM US Equity', '0', 'PX_LAST', '01/12/2026', '231.45'],
        ['NOPE US Equity', '10', 'PX_LAST', null, null],
      ],
    });
  });

  test('actions: the details as JSON, because every kind has others', () => {
    const text = frame({
      program: 'getactions',
      fields: [],
      rows: ['IBM US Equity|EQ1|1|0|6|19282|DVD_CASH|N|IBM|CP_AMT|1.67|', 'X| | |10|0|'],
    });
    expect(tableOf(text)).toEqual({
      columns: [
        'SECURITY',
        'BB_UNIQUE',
        'COMPANY_ID',
        'RC',
        'ACTION_ID',
        'MNEMONIC',
        'FLAG',
        'COMPANY_NAME',
        'DETAILS',
      ],
      rows: [
        ['IBM US Equity', 'EQ1', '1', '0', '19282', 'DVD_CASH', 'N', 'IBM', '{"CP_AMT":"1.67"}'],
        ['X', null, null, '10', null, null, null, null, null],
      ],
    });
  });

  test('a bulk list: the values as JSON; an unknown program: the lines', () => {
    const list = frame({
      program: 'getdata',
      headers: ['OUTPUTFORMAT=bulklist'],
      fields: ['CALL_SCHEDULE'],
      rows: ['X Corp|0|2|20280301|103.4|'],
    });
    expect(tableOf(list)).toEqual({
      columns: ['SECURITY', 'RC', 'VALUES'],
      rows: [['X Corp', '0', '["20280301","103.4"]']],
    });
    const ticks = frame({ program: 'getticks', fields: ['T'], rows: ['a b', '|'] });
    expect(tableOf(ticks)).toEqual({ columns: ['LINE'], rows: [['a b'], ['|']] });
  });

  test('a response: its own columns; numbers of JSON stay as they are written', () => {
    const csv = 'DL_REQUEST_ID,RC,NAME\nr1,0,"a, ""b"""\nr1,10,\n';
    for (const size of [1, 1_000_000])
      expect(tableOf(csv, size)).toEqual({
        columns: ['DL_REQUEST_ID', 'RC', 'NAME'],
        rows: [
          ['r1', '0', 'a, "b"'],
          ['r1', '10', null],
        ],
      });
    const json =
      '[{"DL_ID":"r1","RC":0,"PX":231.450000,"N":12345678901234567890,"B":[{"D":1.50}]}]';
    expect(tableOf(json)).toEqual({
      columns: ['DL_ID', 'RC', 'PX', 'N', 'B'],
      rows: [['r1', '0', '231.450000', '12345678901234567890', '[{"D":"1.50"}]']],
    });
  });

  test('names that come twice are told apart', () => {
    const text = frame({ program: 'getdata', fields: ['RC', 'A', 'A'], rows: ['X|0|3|1|2|3|'] });
    expect(tableOf(text).columns).toEqual(['SECURITY', 'RC', 'RC_2', 'A', 'A_2']);
  });

  test('has columns even without rows', () => {
    const columns = ['SECURITY', 'RC', 'A'];
    expect(tableOf(frame({ program: 'getdata', fields: ['A'], rows: [] }))).toEqual({
      columns,
      rows: [],
    });
    expect(tableOf('DL_A,B\n')).toEqual({ columns: ['DL_A', 'B'], rows: [] });
    expect(tableOf('[]')).toEqual({ columns: [], rows: [] });
  });

  test('keeps characters that chunks cut, and reads Latin-1 where the text is not UTF-8', () => {
    const text = GETDATA.replace('INTL', 'SOCI\u00C9T\u00C9');
    for (const size of [1, 2, 3, 5])
      expect(tableOf(text, size).rows[0]?.[3]).toContain('SOCI\u00C9T\u00C9');
    expect(tableOf(Buffer.from(text, 'latin1')).rows[0]?.[3]).toContain('SOCI\u00C9T\u00C9');
  });

  test('refuses what an inspection refuses', () => {
    const cut = GETDATA.slice(0, -20);
    expect(verdict(cut)).toContain('TRUNCATED');
    expect(() => tableOf(cut)).toThrow(/without END-OF-FILE/);
  });
});
