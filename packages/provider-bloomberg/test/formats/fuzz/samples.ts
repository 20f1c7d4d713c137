import { frame, GETDATA } from '../replies.ts';

/** One reply of each form, all of them right. */
export const SAMPLES: readonly Buffer[] = [
  GETDATA,
  frame({
    program: 'getdata',
    headers: ['DELIMITER=|', 'SECMASTER=yes'],
    fields: ['PX_LAST', 'CALL_SCHEDULE', 'NAME'],
    rows: [
      '# throttled',
      'IBM US Equity|0|3|231.45|;1;2;5;11/01/2027;5;11/01/2028;|M\u00DCNCHEN|',
      'X Corp|0|3|N.A.||N.S.|',
      'NOPE US Equity|10|0|',
    ],
    tail: ['DATARECORDS=3'],
  }),
  frame({
    program: 'gethistory',
    headers: ['HIST_FORMAT=horizontal'],
    fields: ['PX_LAST', 'PX_VOLUME'],
    rows: ['IBM US Equity|0|2|20260112|231.45|1|', 'NOPE US Equity|10|2| | | |'],
    tail: ['DATARECORDS=2'],
  }),
  frame({
    program: 'gethistory',
    fields: ['PX_LAST'],
    rows: [
      'START SECURITY|IBM US Equity|PX_LAST|',
      'IBM US Equity|01/12/2026|231.45|',
      'IBM US Equity|01/13/2026|N.D.|',
      'END SECURITY|IBM US Equity|PX_LAST|',
      'START SECURITY|NOPE|PX_LAST|',
      'END SECURITY|NOPE|PX_LAST|10|',
    ],
    tail: ['DATARECORDS=2'],
  }).replaceAll('\n', '\r\n'),
  frame({
    program: 'getactions',
    fields: [],
    rows: ['IBM|EQ1|1|0|8|19282|DVD_CASH|N|IBM|CP_AMT|1.67|CP_TYP|1000|', 'X| | |10|0|'],
  }),
  frame({
    program: 'getdata',
    headers: ['OUTPUTFORMAT=bulklist'],
    fields: ['CALL_SCHEDULE'],
    rows: ['X Corp|0|2|20280301|103.4|', 'Y Corp|0|1| |'],
  }),
  frame({ program: 'getticks', fields: ['TRADE'], rows: ['IBM 1 2 3', 'IBM 4 5 6'] }),
  'DL_REQUEST_ID,DL_SNAPSHOT_START_TIME,IDENTIFIER,RC,PX_LAST,NAME\n' +
    'r1,2026-01-15T22:04:44,IBM US Equity,0,231.45,"IBM, ""Big\nBlue"""\n' +
    'r1,2026-01-15T22:04:44,NOPE,10,,\n' +
    'r1,2026-01-15T22:04:44,M\u00DCNCHEN,0,"1",\r\n',
  'DL_DATASET,DL_SNAPSHOT_DATE,ID\na,2026-01-15,x\nb,2026-01-15,y\n',
  JSON.stringify([
    { DL_REQUEST_ID: 'r1', IDENTIFIER: 'IBM "x" }', RC: 0, PX_LAST: 231.45, NAME: ['{', { a: 1 }] },
    { DL_REQUEST_ID: 'r1', IDENTIFIER: 'M\u00DCNCHEN \\', RC: '10', PX_LAST: null, NAME: null },
  ]),
].map((text) => Buffer.from(text));
