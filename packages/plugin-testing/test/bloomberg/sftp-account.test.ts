import { createDecipheriv } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ManualClock, startBloombergSftp, type BloombergSftp } from '../../src/index.ts';
import { login, type SftpClient } from './sftp-client.ts';

const NOON = Date.UTC(2026, 0, 15, 16, 19, 10);
const DAY_MS = 24 * 60 * 60 * 1000;

// One server and one login for all tests: the handshakes would take longer than everything else.
let clock: ManualClock;
let account: BloombergSftp;
let client: SftpClient;
beforeAll(async () => {
  clock = new ManualClock(NOON);
  account = await startBloombergSftp({ clock });
  client = await login(account);
});
afterEach(async () => {
  account.faults.reset();
  for (const name of Object.keys(await client.list())) account.tree.delete(`/${name}`);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await account[Symbol.asyncDispose]();
});

interface Asked {
  readonly headers?: readonly string[];
  readonly fields?: readonly string[];
  readonly data?: readonly string[];
}

function requestFile({ data = ['IBM US Equity'], fields = ['PX_LAST'], headers = [] }: Asked = {}) {
  const head = ['FIRMNAME=dl123456', 'REPLYFILENAME=px0115a.out', ...headers];
  return [
    'START-OF-FILE',
    ...head,
    '',
    ...(fields.length === 0 ? [] : ['START-OF-FIELDS', ...fields, 'END-OF-FIELDS', '']),
    'START-OF-DATA',
    ...data,
    'END-OF-DATA',
    '',
    'END-OF-FILE',
    '',
  ].join('\n');
}

async function replyTo(asked: Asked): Promise<string[]> {
  await client.upload('a.req', requestFile(asked));
  return (await client.download('px0115a.out')).toString().split('\n');
}

/** `yyyymmdd` */
function today(): string {
  return new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
}

/** The lines between the markers. */
function dataIn(lines: readonly string[]): string[] {
  return lines.slice(lines.indexOf('START-OF-DATA') + 1, lines.indexOf('END-OF-DATA'));
}

test('a request is answered under the name it asks for, in a frame that echoes its headers', async () => {
  const lines = await replyTo({ headers: ['DATEFORMAT=yyyymmdd'], fields: ['NAME', 'PX_LAST'] });
  expect(lines).toEqual([
    'START-OF-FILE',
    'RUNDATE=20260115',
    'FIRMNAME=dl123456',
    'REPLYFILENAME=px0115a.out',
    'DATEFORMAT=yyyymmdd',
    '',
    'START-OF-FIELDS',
    'NAME',
    'PX_LAST',
    'END-OF-FIELDS',
    '',
    'TIMESTARTED=Thu Jan 15 11:19:10 EST 2026',
    'START-OF-DATA',
    expect.stringMatching(/^IBM US Equity\|0\|2\|IBM HOLDINGS\|\d+\.\d{6}\|$/),
    'END-OF-DATA',
    'TIMEFINISHED=Thu Jan 15 11:19:10 EST 2026',
    'END-OF-FILE',
    '',
  ]);
});

test('magic tickers fail, and so does an identifier type that nobody knows', async () => {
  const data = ['NOPE US Equity', 'SYS1 US Equity', 'PERM US Equity', 'RC-10 US Equity', 'X|LEI'];
  expect(dataIn(await replyTo({ data }))).toEqual([
    'NOPE US Equity|10|1| |',
    'SYS1 US Equity|988|1| |',
    'PERM US Equity|994|1| |',
    'RC-10 US Equity|-10|1| |',
    'X|998|1| |',
  ]);
});

test('missing values keep their tokens apart', async () => {
  const fields = ['NA_A', 'ND_A', 'NS_A', 'UNKNOWN_A', 'MATURITY'];
  expect(dataIn(await replyTo({ fields }))).toEqual([
    'IBM US Equity|0|5|N.A.|N.D.|N.S.|FLD UNKNOWN|N.A.|',
  ]);
});

test('bulk cells have one dimension or two, and dates as the request wants them', async () => {
  const fields = ['CALL_SCHEDULE', 'REFUNDING_DATES'];
  const [row] = dataIn(await replyTo({ fields, data: ['XS1234567890|ISIN'] }));
  expect(row).toBe(
    'XS1234567890|0|2|' +
      ';2;2;2;5;01/15/2028;3;103.438000;5;01/14/2029;3;101.719000;|' +
      ';1;2;5;01/15/2027;5;01/15/2028;|',
  );
});

test('an override of a field is taken at its word', async () => {
  const fields = ['PRICING_SOURCE', 'PX_LAST'];
  const data = ['XS1234567890|ISIN|1|PRICING_SOURCE|BGN|'];
  expect(dataIn(await replyTo({ fields, data }))[0]).toMatch(/^XS1234567890\|0\|2\|BGN\|/);
});

test('history is zipped, and vertical unless it is asked for horizontally', async () => {
  const headers = ['PROGRAMNAME=gethistory', 'DATERANGE=20260109|20260112'];
  await client.upload('a.req', requestFile({ headers, data: ['IBM US Equity', 'NOPE Index'] }));
  const zipped = await client.download('px0115a.out.gz');
  expect(dataIn(gunzipSync(zipped).toString().split('\n'))).toEqual([
    'START SECURITY|IBM US Equity|PX_LAST|',
    expect.stringMatching(/^IBM US Equity\|01\/09\/2026\|[\d.]+\|$/),
    expect.stringMatching(/^IBM US Equity\|01\/12\/2026\|[\d.]+\|$/),
    'END SECURITY|IBM US Equity|PX_LAST|0|',
    'START SECURITY|NOPE Index|PX_LAST|',
    'END SECURITY|NOPE Index|PX_LAST|10|',
  ]);
});

test('horizontal history has a row for each day, whose date is not counted', async () => {
  const headers = [
    'PROGRAMNAME=gethistory',
    'HIST_FORMAT=horizontal',
    'DATERANGE=20260114|20260115',
    'DATEFORMAT=yyyymmdd',
  ];
  await client.upload('a.req', requestFile({ headers, fields: ['PX_LAST', 'CRNCY'] }));
  const text = gunzipSync(await client.download('px0115a.out.gz')).toString();
  expect(dataIn(text.split('\n'))).toEqual([
    expect.stringMatching(/^IBM US Equity\|0\|2\|20260114\|[\d.]+\|N\.A\.\|$/),
    expect.stringMatching(/^IBM US Equity\|0\|2\|20260115\|[\d.]+\|N\.A\.\|$/),
  ]);
});

test('actions have no fields, and a row for each event', async () => {
  const [row] = dataIn(await replyTo({ headers: ['PROGRAMNAME=getactions'], fields: [] }));
  expect(row).toMatch(/^IBM US Equity\|\w+\|100001\|0\|10\|100000001\|DVD_CASH\|N\|IBM HOLDINGS\|/);
});

test('COMPRESS=yes zips the reply', async () => {
  await client.upload('a.req', requestFile({ headers: ['COMPRESS=yes'] }));
  const text = gunzipSync(await client.download('px0115a.out.gz')).toString();
  expect(text).toMatch(/^START-OF-FILE\n[^]*END-OF-FILE\n$/);
});

test.for([
  ['an unknown header', requestFile({ headers: ['COLOUR=red'] }), 'UNKNOWN HEADER COLOUR'],
  [
    'a doubled header',
    requestFile({ headers: ['REPLYFILENAME=b.out'] }),
    'REPLYFILENAME IS DOUBLED',
  ],
  ['a wrong value', requestFile({ headers: ['COMPRESS=maybe'] }), 'INVALID COMPRESS'],
  ['lower case', requestFile({ headers: ['compress=yes'] }), 'NAME=VALUE EXPECTED'],
  ['no fields', requestFile({ fields: ['PX LAST'] }), 'INVALID FIELD'],
  ['501 fields', requestFile({ fields: Array(501).fill('A') as string[] }), 'TOO MANY FIELDS'],
  ['too few overrides', requestFile({ data: ['A|ISIN|2|F|V|'] }), 'OVERRIDES DO NOT MATCH'],
  ['no last delimiter', requestFile({ data: ['A|ISIN|1|F|V'] }), 'OVERRIDES DO NOT MATCH'],
  ['more behind the overrides', requestFile({ data: ['A|ISIN|1|F|V|W'] }), 'OVERRIDES DO NOT'],
  ['no securities', requestFile({ data: [] }), 'NO SECURITIES'],
  ['another firm', requestFile().replace('dl123456', 'dl654321'), 'INVALID FIRMNAME'],
  ['no end', requestFile().replace('END-OF-FILE', ''), 'END-OF-FILE EXPECTED'],
  ['no end of the data', requestFile().replace('END-OF-DATA', ''), 'END-OF-DATA EXPECTED'],
  ['a second frame', requestFile() + requestFile(), 'NOTHING MAY FOLLOW'],
  ['history without dates', requestFile({ headers: ['PROGRAMNAME=gethistory'] }), 'DATERANGE'],
  [
    'a program without a simulation',
    requestFile({ headers: ['PROGRAMNAME=getquotes'] }),
    'getquotes',
  ],
] as const)('a request with %s is answered by an error reply', async ([, text, problem]) => {
  await client.upload('bad.req', text);
  expect((await client.download('px0115a.out')).toString()).toMatch(/^## .+\n$/);
  expect(account.requests.at(-1)?.problem).toContain(problem);
});

test('a request without a reply name is answered under its own', async () => {
  await client.upload('mine.req', requestFile().replace('REPLYFILENAME=px0115a.out\n', ''));
  expect(Object.keys(await client.list())).toContain('mine.out');
});

test('CRLF is as good as LF', async () => {
  await client.upload('a.req', requestFile().replaceAll('\n', '\r\n'));
  expect((await client.download('px0115a.out')).toString()).toContain('\nEND-OF-FILE\n');
});

test('a reply comes when its time has come', async () => {
  account.faults.delayMs = 60_000;
  await client.upload('a.req', requestFile());
  expect(await client.list()).not.toHaveProperty(['px0115a.out']);
  await clock.advance(60_000);
  expect(await client.list()).toHaveProperty(['px0115a.out']);
});

test('a growing reply shows more of itself at each look, and all in the end', async () => {
  account.faults.growing = 2;
  await client.upload('a.req', requestFile());
  const sizes: number[] = [];
  for (let look = 0; look < 4; look += 1) sizes.push((await client.list())['px0115a.out'] ?? 0);
  expect(sizes[0]).toBeLessThan(sizes[1] ?? 0);
  expect(sizes.slice(2)).toEqual([sizes[1], sizes[1]]);
  expect((await client.download('px0115a.out')).toString()).toMatch(/END-OF-FILE\n$/);
});

test('a reply may lack its end, stop within a row, or count its rows wrongly', async () => {
  account.faults.cut = 'before END-OF-FILE';
  expect((await replyTo({})).slice(-2)).toEqual(['END-OF-DATA', '']);
  account.faults.cut = 'inside the data';
  expect((await replyTo({})).at(-1)).toMatch(/^IBM US Equity\|0\|1\|[\d.]+$/);
  account.faults.cut = undefined;
  account.faults.dataRecords = 'wrong';
  expect(await replyTo({})).toContain('DATARECORDS=2');
  account.faults.dataRecords = 'right';
  expect(await replyTo({})).toContain('DATARECORDS=1');
});

test('the columns of getdata have titles where they are asked for, those of a history never', async () => {
  const [titles] = dataIn(await replyTo({ headers: ['COLUMNHEADER=yes'] }));
  expect(titles).toBe('SECURITIES|ERROR CODE|NUM FLDS|PX_LAST|');
  const history = ['PROGRAMNAME=gethistory', 'DATERANGE=20260115|20260115', 'COLUMNHEADER=yes'];
  await client.upload('a.req', requestFile({ headers: history }));
  const text = gunzipSync(await client.download('px0115a.out.gz')).toString();
  expect(dataIn(text.split('\n'))[0]).toBe('START SECURITY|IBM US Equity|PX_LAST|');
});

test('a reply can be delivered without a request, and encrypted in any way', async () => {
  account.faults.encrypt = async (bytes) => bytes.map((byte) => byte ^ 0xff);
  await account.deliver('eod.out', 'START-OF-FILE\n');
  const bytes = await client.download('eod.out');
  expect(Buffer.from(bytes.map((byte) => byte ^ 0xff)).toString()).toBe('START-OF-FILE\n');
});

test('any request can be answered by an error', async () => {
  account.faults.errorReply = 'YOUR ACCOUNT IS SUSPENDED';
  expect(await replyTo({})).toEqual(['## YOUR ACCOUNT IS SUSPENDED', '']);
});

test('a stale reply lies there until somebody deletes it', async () => {
  account.tree.file('/px0115a.out', 'stale');
  expect((await client.download('px0115a.out')).toString()).toBe('stale');
  await client.delete('px0115a.out');
  expect(await client.list()).not.toHaveProperty(['px0115a.out']);
});

test('a daily program answers again the next day, and an adhoc one does not', async () => {
  await client.upload('a.req', requestFile({ headers: ['PROGRAMFLAG=daily'] }));
  await client.delete('px0115a.out');
  await clock.advance(DAY_MS);
  const text = (await client.download('px0115a.out')).toString();
  expect(text).toContain(`RUNDATE=${today()}`);
  await client.upload(
    'b.req',
    requestFile({ headers: ['PROGRAMFLAG=adhoc'] }).replace('px0115a', 'b'),
  );
  await client.delete('b.out');
  await clock.advance(DAY_MS);
  expect(await client.list()).not.toHaveProperty(['b.out']);
});

test('names get a date where the account has it so', async () => {
  account.faults.datedNames = true;
  await client.upload('a.req', requestFile());
  expect(await client.list()).toHaveProperty([`px0115a.out.${today()}`]);
});

test('from an address that is not allowed the login fails as with a wrong password', async () => {
  account.faults.wrongIp = true;
  await expect(login(account)).rejects.toThrow('All configured authentication methods failed');
});

test('an account of old gets its replies zipped, then encrypted and uuencoded', async () => {
  account.faults.uuDes = 'A1b2C3d4';
  await client.upload('a.req', requestFile({ headers: ['COMPRESS=yes'] }));
  const text = (await client.download('px0115a.out.gz')).toString('latin1');
  expect(text).toMatch(/^begin 600 px0115a\.out\.gz\nM[^]*\n \nend\n$/);
  // The known answer for this password.
  const key = Buffer.from('43baa1da4a16b0f2', 'hex');
  expect(gunzipSync(decrypted(text, key)).toString()).toMatch(/^START-OF-FILE[^]*END-OF-FILE\n$/);
});

/** Undoes uuencode line by line and DES block by block. */
function decrypted(text: string, key: Buffer): Buffer {
  const lines = text.split('\n').slice(1, -3);
  const bytes = Buffer.concat(lines.map(lineBytes));
  const decipher = createDecipheriv(
    'des-ede3-cbc',
    Buffer.concat([key, key, key]),
    Buffer.alloc(8),
  );
  decipher.setAutoPadding(false);
  const blocks = Buffer.concat([decipher.update(bytes), decipher.final()]);
  return blocks.subarray(0, blocks.length - 8 + (blocks.at(-1) ?? 0));
}

function lineBytes(line: string): Buffer {
  const bits = Array.from(line.slice(1))
    .map((character) => ((character.charCodeAt(0) - 32) & 63).toString(2).padStart(6, '0'))
    .join('');
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from(bytes.slice(0, line.charCodeAt(0) - 32));
}
