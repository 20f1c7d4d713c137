import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { auditUnavailable } from '../../src/audit/audit-unavailable.ts';
import { noAudit, type AuditEntry } from '../../src/audit/audit-trail.ts';
import { rooms } from '../../src/cli/rooms.ts';
import { newIdentity, recipientOf } from '../../src/secrets/age-file.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { MemoryInput, octoHost, testEnvironment } from '../cli/test-environment.ts';

const VALUE = 'hunter2-canary';

/** A folder with a store, its commands, and what they wrote into the audit log. */
async function secretsSite({ isEmpty = false } = {}) {
  const cwd = await temporaryFolder();
  const audited: AuditEntry[] = [];
  const audit = { ...noAudit, record: async (entry: AuditEntry) => void audited.push(entry) };
  const call = async (argv: readonly string[], stdin = new MemoryInput(), isTerminal = false) => {
    const openAudit = async () => audit;
    const environment = testEnvironment({ cwd, stdin, rooms: { ...rooms, openAudit } });
    environment.stdout.isTerminal = isTerminal;
    const { code, stdout, stderr } = await octoHost(['secrets', ...argv], environment);
    return { code, stdout: stdout.text, stderr: stderr.text };
  };
  const set = (name: string, value: string, ...argv: string[]) =>
    call(['set', name, ...argv], new MemoryInput(value));
  const folder = join(cwd, '.octo');
  if (!isEmpty) await prepared(folder, call);
  audited.length = 0;
  return { cwd, folder, call, set, audited };
}

/** The audit log would make the folder. */
async function prepared(folder: string, call: (argv: string[]) => Promise<unknown>) {
  const { prepareStateFolder } = await import('../../src/state/state-folder.ts');
  await prepareStateFolder(folder);
  await call(['init']);
}

const deeds = (audited: readonly AuditEntry[]) =>
  audited.map(({ action, target, outcome }) => `${action} ${target ?? ''} ${outcome}`);

test('a store is made with its key, once; what is there is left alone', async () => {
  const { call, folder } = await secretsSite();
  const key = await readFile(join(folder, 'master.key'), 'utf8');
  expect(key).toMatch(/^# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/);
  expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o600);
  const again = await call(['init']);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('OCTO_SECRETS_EXISTS');
  await rename(join(folder, 'secrets.age'), join(folder, 'away'));
  const anew = await call(['init']);
  expect(anew.stdout).toContain(`the master key is ${join(folder, 'master.key')}\n`);
  expect(await readFile(join(folder, 'master.key'), 'utf8')).toBe(key);
});

test('a secret is set from standard input, listed without its value, shown, rotated and removed', async () => {
  const { call, set, audited } = await secretsSite();
  expect((await set('db', `${VALUE}\n`, '--for', 'lake,pipeline:trades')).stdout).toBe(
    'set db; for lake, pipeline:trades\n',
  );
  const listed = await call(['list']);
  expect(listed.stdout.split('\n')[1]).toMatch(
    /^db +2026-01-16 03:45:00 +0\.0 s +lake, pipeline:trades$/,
  );
  expect(listed.stdout + (await call(['list', '--json'])).stdout).not.toContain(VALUE);
  expect((await call(['get', 'db'], undefined, true)).stdout).toBe(`${VALUE}\n`);
  const rotated = await call(['rotate', 'db'], new MemoryInput('the next'));
  expect(rotated.stdout).toBe('rotated db; for lake, pipeline:trades\n');
  expect((await call(['get', 'db', '--reveal'])).stdout).toBe('the next\n');
  expect((await call(['remove', 'db'])).stdout).toBe('removed db\n');
  expect((await call(['get', 'db', '--reveal'])).stderr).toContain("there is no secret 'db'");
  expect(deeds(audited)).toEqual([
    'secret.set db done',
    'secrets.list  done',
    'secrets.list  done',
    'secret.reveal db done',
    'secret.rotate db done',
    'secret.reveal db done',
    'secret.remove db done',
  ]);
  expect(JSON.stringify(audited)).not.toContain(VALUE);
});

test('a secret is asked for at a terminal, where it is not shown', async () => {
  const { call } = await secretsSite();
  const terminal = new MemoryInput('', [VALUE]);
  const { stdout, stderr } = await call(['set', 'db'], terminal);
  expect(terminal.questions).toEqual(['value of db (it is not shown): ']);
  expect(stdout).toBe('set db; nobody may use it yet: octo-host secrets grant db --for PLUGIN\n');
  expect(stdout + stderr).not.toContain(VALUE);
});

test.each([
  ['set', 'db', VALUE],
  ['rotate', 'db', VALUE],
  ['set', 'db', `--value=${VALUE}`],
  ['set', 'db', `--${VALUE}`],
  ['set', `db=${VALUE}`],
])('a value in the arguments is refused and not repeated: secrets %s %s', async (...argv) => {
  const { call } = await secretsSite();
  const { code, stdout, stderr } = await call(argv, new MemoryInput('x'));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/(?:the shell's history|has not\. A value is never an argument)/);
  expect(stderr).not.toContain(VALUE);
});

test.each([
  ['', 'is empty'],
  ['\n', 'is empty'],
  ['x'.repeat(70_000), 'has 70000 bytes, and a secret has 65536 at most'],
])('a value that is none is refused', async (value, problem) => {
  const { set } = await secretsSite();
  const { code, stderr } = await set('db', value);
  expect([code, stderr.includes(`the value of 'db' ${problem}`)]).toEqual([2, true]);
});

test('a value is not written where nobody looks, unless somebody says so', async () => {
  const { call, set, audited } = await secretsSite();
  await set('db', VALUE);
  const { code, stdout, stderr } = await call(['get', 'db']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--reveal writes it');
  expect(deeds(audited)).toEqual(['secret.set db done']);
  expect(JSON.parse((await call(['get', 'db', '--reveal', '--json'])).stdout)).toMatchObject({
    value: VALUE,
  });
});

test('a value that would trick a terminal is spelt out there, and whole elsewhere', async () => {
  const { call, set } = await secretsSite();
  await set('db', 'a\u001B[2Jb\nc\n');
  expect((await call(['get', 'db'], undefined, true)).stdout).toBe('a\\x1b[2Jb\nc\n');
  expect((await call(['get', 'db', '--reveal'])).stdout).toBe('a\u001B[2Jb\nc\n');
});

test('rights are given and taken; another value leaves them', async () => {
  const { call, set } = await secretsSite();
  await set('db', VALUE, '--for', 'lake');
  expect((await call(['grant', 'db', '--for', 'affirm,host:api'])).stdout).toBe(
    'db: for affirm, host:api, lake\n',
  );
  expect((await set('db', 'another')).stdout).toBe('changed db; for affirm, host:api, lake\n');
  expect((await set('db', 'another')).stdout).toContain('unchanged db');
  expect((await call(['revoke', 'db', '--from', 'lake,host:api'])).stdout).toBe('db: for affirm\n');
  expect((await call(['revoke', 'db', '--from', 'lake'])).stderr).toContain('it had none');
  expect((await call(['grant', 'db', '--for', 'a b'])).stderr).toContain("not 'a b'");
  expect((await call(['grant', 'dv', '--for', 'a'])).stderr).toContain("did you mean 'db'?");
  expect((await call(['grant', 'db'])).stderr).toContain('--for says which plugins');
  expect((await call(['grant', 'db', '--for', '*'])).stdout).toBe('db: all may use it\n');
});

test('a file is imported as a whole, and it is said what it added and changed', async () => {
  const { call, cwd, set, audited } = await secretsSite();
  await set('A', 'old');
  await set('B', 'same');
  const lines = `A=${VALUE}\r\nB=same\r\nexport C="x y"\r\n`;
  await writeFile(join(cwd, '.env'), `${lines}D=${VALUE}#2\r\n`);
  const refused = await call(['import', '.env']);
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain('line 4 has a #');
  expect(refused.stderr).not.toContain(VALUE);
  expect((await call(['get', 'A', '--reveal'])).stdout).toBe('old\n');
  audited.length = 0;
  const taken = await call(['import', '-', '--for', 'lake'], new MemoryInput(lines));
  expect(taken.stdout).toBe('added: C\nchanged: A, B\n');
  expect(deeds(audited)).toEqual([
    'secret.import C done',
    'secret.import A done',
    'secret.import B done',
  ]);
  expect((await call(['import', '-'], new MemoryInput(lines))).stdout).toBe('unchanged: A, B, C\n');
});

test('an export is sealed for its recipient, and refused for what is none', async () => {
  const { call, set, audited } = await secretsSite();
  await set('db', VALUE, '--for', 'lake');
  const identity = await newIdentity();
  const recipient = await recipientOf(identity);
  const { stdout } = await call(['export', '--to', recipient]);
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  expect(JSON.parse(await decrypter.decrypt(armor.decode(stdout), 'text'))).toEqual({
    db: { value: VALUE, grants: ['lake'] },
  });
  const sealed = await call(['import', '-'], new MemoryInput(stdout));
  expect(sealed.stderr).toContain('age -d -i KEY FILE | octo-host secrets import -');
  expect(deeds(audited)).toEqual(['secret.set db done', 'secrets.export  done']);
  for (const to of [identity, recipient.slice(0, 20), '']) {
    const { code, stderr } = await call(['export', '--to', to]);
    expect([code, stderr.includes(identity)]).toEqual([2, false]);
  }
});

test('the master key changes in place, or is prepared, brought there and finished', async () => {
  const { call, folder, set, audited } = await secretsSite();
  await set('db', VALUE);
  const first = await readFile(join(folder, 'master.key'), 'utf8');
  expect((await call(['rotate-key'])).stdout).toContain('the store has a new master key');
  expect(await readFile(join(folder, 'master.key'), 'utf8')).not.toBe(first);
  const next = join(folder, 'next.key');
  expect((await call(['rotate-key', '--into', next])).stdout).toContain('with the old one');
  expect((await call(['rotate-key', '--finish'])).stderr).toContain('is still the old one');
  await rename(next, join(folder, 'master.key'));
  expect((await call(['rotate-key', '--finish'])).code).toBe(0);
  expect((await call(['get', 'db', '--reveal'])).stdout).toBe(`${VALUE}\n`);
  expect(deeds(audited).filter((deed) => deed.includes('key'))).toHaveLength(3);
});

test('a store that is older than the one before is used when somebody accepts it, which is recorded', async () => {
  const { call, folder, set, audited } = await secretsSite();
  await set('db', VALUE);
  await set('db', 'another');
  const file = join(folder, 'secrets.age');
  await rename(`${file}.previous`, file);
  expect((await call(['list'])).stderr).toContain('OCTO_SECRETS_ROLLED_BACK');
  expect((await call(['accept'])).stdout).toBe(`accepted ${file}, from now on revision 4\n`);
  expect((await call(['get', 'db', '--reveal'])).stdout).toBe(`${VALUE}\n`);
  expect(deeds(audited)).toContain(`secrets.accept ${file} done`);
});

test('nothing is changed or shown while that cannot be written down', async () => {
  const { cwd, set } = await secretsSite();
  await set('db', VALUE);
  const record = async () => {
    throw auditUnavailable('/audit', 'the disk is full; make room');
  };
  const openAudit = async () => ({ ...noAudit, record });
  for (const argv of [['set', 'db'], ['remove', 'db'], ['get', 'db', '--reveal'], ['list']]) {
    const stdin = new MemoryInput('another');
    const environment = testEnvironment({ cwd, stdin, rooms: { ...rooms, openAudit } });
    const { code, stdout, stderr } = await octoHost(['secrets', ...argv], environment);
    expect([code, stdout.text]).toEqual([1, '']);
    expect(stderr.text).toContain('OCTO_AUDIT_UNAVAILABLE');
  }
});

test('without its first word a command says which there are', async () => {
  const { call } = await secretsSite({ isEmpty: true });
  const { stderr } = await call([]);
  expect(stderr).toContain("'secrets' needs one more word: secrets init, secrets set");
});
