/** `octo-host run bloomberg-eod` against the loopback SFTP account. */
import { encryptedMessage, ManualClock, receivingKey } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { bloombergSftp, sftpSite, withLedger } from './site.ts';

withLedger();

const ASKED = {
  reply: 'px0115a.out',
  headers: ['SECMASTER=yes', 'CLOSINGVALUES=yes'],
  fields: ['ID_BB_GLOBAL', 'PX_LAST'],
  securities: ['IBM US Equity', 'US912810TM09|ISIN', 'NOPE US Equity'],
};

/** More runs than any file takes to settle. */
const MANY = 100;

test('a request is uploaded once, its reply delivered once', async () => {
  const server = await bloombergSftp();
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  const first = await site.run();
  expect(first).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
  expect(await site.content('px0115a.out')).toMatch(/^START-OF-FILE[^]*NOPE US Equity\|10\|/);
  expect(first.warnings.map(({ message }) => message).join()).toMatch(/10/);
  expect(await site.run()).toMatchObject({ code: 0, delivered: [], failed: [], pending: [] });
  expect(server.requests).toEqual([
    { name: 'px0115a.req', text: expect.stringContaining('REPLYFILENAME=px0115a.out') },
  ]);
});

test('a reply that is still being written waits until it is whole', async () => {
  const server = await bloombergSftp();
  server.faults.growing = 2;
  const site = await sftpSite(server, { config: { requestFiles: [ASKED], settleMs: 200 } });
  const runs = [await site.run()];
  expect(runs).toMatchObject([{ code: 0, delivered: [], pending: [{ path: 'px0115a.out' }] }]);
  while (runs.length < MANY && runs.at(-1)?.delivered.length === 0) runs.push(await site.run());
  expect(runs.flatMap(({ quarantined }) => quarantined)).toEqual([]);
  expect(runs.at(-1)).toMatchObject({ delivered: [{ key: 'px0115a.out' }], pending: [] });
  expect(await site.content('px0115a.out')).toMatch(/END-OF-FILE\n$/);
});

test('a compressed reply comes under the name that Bloomberg gives it, decompressed', async () => {
  const server = await bloombergSftp();
  const headers = [...ASKED.headers, 'COMPRESS=yes'];
  const site = await sftpSite(server, { config: { requestFiles: [{ ...ASKED, headers }] } });
  expect(await site.run()).toMatchObject({
    code: 0,
    delivered: [{ path: 'px0115a.out.gz', key: 'px0115a.out' }],
  });
  expect(await site.content('px0115a.out')).toMatch(/^START-OF-FILE/);
});

test('a reply without END-OF-FILE is set aside; when it is there whole, it is delivered', async () => {
  const server = await bloombergSftp();
  server.faults.cut = 'before END-OF-FILE';
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  const { code, quarantined } = await site.run();
  expect(code).toBe(1);
  expect(quarantined).toEqual([
    expect.objectContaining({ reason: expect.stringMatching(/^TRUNCATED: .*END-OF-FILE/) }),
  ]);
  expect(await site.visible()).toEqual([]);
  const text = Buffer.from(server.tree.bytes('/px0115a.out')).toString();
  server.tree.file('/px0115a.out', `${text}END-OF-FILE\n`, { mtimeMs: Date.now() + 5000 });
  expect(await site.run()).toMatchObject({ delivered: [{ path: 'px0115a.out' }] });
});

test('a request that Bloomberg cannot read is told in its own words', async () => {
  const server = await bloombergSftp();
  server.faults.errorReply = 'INVALID FIRMNAME';
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  const { code, quarantined } = await site.run();
  expect(code).toBe(1);
  expect(quarantined).toEqual([
    expect.objectContaining({ reason: expect.stringMatching(/^ERROR_REPLY: .*INVALID FIRMNAME/) }),
  ]);
});

test('a request that was corrected is sent again, and takes the place of the error', async () => {
  const server = await bloombergSftp();
  server.faults.errorReply = 'INVALID FIELD';
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  await site.run();
  server.faults.errorReply = undefined;
  await site.change({ requestFiles: [{ ...ASKED, fields: ['PX_LAST'] }] });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: 'px0115a.out' }] });
});

test('a stale reply is not taken for the answer', async () => {
  const server = await bloombergSftp();
  server.tree.file('/px0115a.out', 'START-OF-FILE\nold\nEND-OF-FILE\n', {
    mtimeMs: 1_700_000_000_000,
  });
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: 'px0115a.out' }] });
  expect(await site.content('px0115a.out')).toContain('IBM US Equity');
  expect(server.server.log.filter(({ name }) => name === 'REMOVE')).toHaveLength(1);
});

test('a reply that was not delivered yet is not removed for a new request of its name', async () => {
  const server = await bloombergSftp();
  server.faults.cut = 'before END-OF-FILE';
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  await site.run();
  server.faults.cut = undefined;
  await site.change({ requestFiles: [{ ...ASKED, fields: ['PX_LAST'] }] });
  const { said } = await site.run();
  expect(said).toContain('held back');
  expect(server.requests).toHaveLength(1);
  expect(server.tree.has('/px0115a.out')).toBe(true);
});

test('a changed request is sent again once the last reply was delivered', async () => {
  const server = await bloombergSftp();
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  await site.run();
  await site.change({ requestFiles: [{ ...ASKED, fields: ['PX_LAST'] }] });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: 'px0115a.out' }] });
  expect(server.requests).toHaveLength(2);
  expect(await site.visible()).toEqual(['px0115a.out', 'px0115a~2.out']);
});

test('an address that is not allowed looks like a wrong password, so both are named', async () => {
  const server = await bloombergSftp();
  server.faults.wrongIp = true;
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  const { code, error } = await site.run();
  expect(code).toBe(3);
  expect(error).toMatch(/password.*allow-list.*LOGIN_REFUSED/);
});

test('without requests, everything but request files is delivered', async () => {
  const server = await bloombergSftp();
  await server.deliver('equity_namr.px', frame('IBM US Equity'));
  server.tree.file('/own.req', 'START-OF-FILE\n');
  const site = await sftpSite(server);
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: 'equity_namr.px' }] });
});

test('a reply in the older envelope is opened with the password of the account', async () => {
  const server = await bloombergSftp();
  server.faults.uuDes = 'A1b2C3d4';
  const site = await sftpSite(server, {
    config: { requestFiles: [ASKED], desPassword: 'A1b2C3d4' },
    pipeline: { steps: ['decode', 'decompress', 'verify'] },
  });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
  expect(await site.content('px0115a.out')).toMatch(/^START-OF-FILE[^]*END-OF-FILE\n$/);
});

test('with a wrong password nothing is delivered, and the next run with the right one does', async () => {
  const server = await bloombergSftp();
  server.faults.uuDes = 'A1b2C3d4';
  const site = await sftpSite(server, {
    config: { requestFiles: [ASKED], desPassword: 'not this one' },
    pipeline: { steps: ['decode', 'decompress', 'verify'] },
  });
  const first = await site.run();
  expect(first.code).toBe(3);
  expect(first.failed).toEqual([
    expect.objectContaining({ error: expect.stringContaining('DES password') }),
  ]);
  expect(await site.visible()).toEqual([]);
  await site.change({ desPassword: 'A1b2C3d4' });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
});

test('a run that waits delivers a reply that comes some time after the request', async () => {
  const server = await bloombergSftp();
  server.faults.delayMs = 300;
  const site = await sftpSite(server, {
    config: { requestFiles: [ASKED], waitMs: 600_000, pollMs: 10_000 },
    policy: { timeoutMs: 900_000 },
  });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
});

test('a run that does not wait leaves the reply to the next one', async () => {
  const clock = new ManualClock();
  const server = await bloombergSftp({ clock });
  server.faults.delayMs = 1_200_000;
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [], pending: [] });
  await clock.advance(1_200_000);
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
  expect(server.requests).toHaveLength(1);
});

test('a reply whose name got the date of its day is known by what was asked for', async () => {
  const server = await bloombergSftp();
  server.faults.datedNames = true;
  const site = await sftpSite(server, {
    config: { requestFiles: [{ ...ASKED, headers: ['COMPRESS=yes'] }] },
    pipeline: { key: '{reply}/{name}' },
  });
  const { code, delivered } = await site.run();
  expect(code).toBe(0);
  expect(delivered).toEqual([
    expect.objectContaining({
      path: expect.stringMatching(/^px0115a\.out\.\d{8}\.gz$/),
      key: expect.stringMatching(/^px0115a\.out\/px0115a\.out\.\d{8}$/),
    }),
  ]);
});

test('a reply for the account that wants OpenPGP is decrypted by the pipeline', async () => {
  const server = await bloombergSftp();
  server.faults.encrypt = (bytes) => encryptedMessage(bytes, { to: [receivingKey] });
  const site = await sftpSite(server, {
    config: { requestFiles: [ASKED] },
    pipeline: { steps: [{ decrypt: { keys: [receivingKey.privateKey] } }, 'verify'] },
  });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px0115a.out' }] });
  expect(await site.content('px0115a.out')).toMatch(/^START-OF-FILE[^]*END-OF-FILE\n$/);
});

test('a recurring program is uploaded once and answered every day', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 15, 12));
  const server = await bloombergSftp({ clock });
  const daily = { ...ASKED, reply: 'px.out', programFlag: 'daily' };
  const site = await sftpSite(server, { config: { requestFiles: [daily] } });
  expect(await site.run()).toMatchObject({ code: 0, delivered: [{ key: 'px.out' }] });
  for (let day = 1; day <= 2; day++) {
    await clock.advance(86_400_000);
    expect(await site.run()).toMatchObject({ code: 0, delivered: [{ path: 'px.out' }] });
  }
  expect(await site.visible()).toEqual(['px.out', 'px~2.out', 'px~3.out']);
  expect(server.requests).toHaveLength(1);
});

test('check walks through what must hold, and asks for nothing', async () => {
  const server = await bloombergSftp();
  const site = await sftpSite(server, { config: { requestFiles: [ASKED] } });
  const { code, stdout } = await site.octo('check');
  expect(code).toBe(0);
  for (const step of ['resolve', 'connect', 'host key', 'login', 'list'])
    expect(stdout).toContain(step);
  expect(server.requests).toEqual([]);
});

function frame(security: string): string {
  return [
    'START-OF-FILE',
    'PROGRAMNAME=getdata',
    'START-OF-FIELDS',
    'PX_LAST',
    'END-OF-FIELDS',
    'START-OF-DATA',
    `${security}|0|1|231.450000|`,
    'END-OF-DATA',
    'END-OF-FILE',
    '',
  ].join('\n');
}
