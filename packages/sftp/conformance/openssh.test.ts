/** The session against OpenSSH's own server: what the loopback server of our tests promises must be true of a real one. */
import { execFile } from 'node:child_process';
import {
  appendFile,
  mkdir,
  readFile,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generatedContent, hostKeyFromSeed, RecordingLogger } from '@octo/plugin-testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectSftp, diagnoseSftp, type SftpOptions, type SftpSession } from '../src/index.ts';
import { allOf, failureOf, never, systemClock } from '../test/loopback.ts';
import { SSHD, SSHD_MISSING, startSshd, type Sshd } from './sshd.ts';

const MIB = 2 ** 20;
const services = { clock: systemClock, logger: new RecordingLogger() };

test.runIf(SSHD === undefined)(`nothing was tested: ${SSHD_MISSING}`, () => {
  expect(SSHD).toBeUndefined();
});

describe.runIf(SSHD !== undefined)('with a real sshd', () => {
  test('a file of 64 MiB comes whole, from the start and from an offset', async () => {
    const { sshd, session } = await opened();
    const bytes = Buffer.from(generatedContent(64 * MIB + 123).read(0, 64 * MIB + 123));
    await writeFile(join(sshd.folder, 'a.gpg'), bytes);
    const size = bytes.length;
    expect((await allOf(session.read('a.gpg', { size }, never))).equals(bytes)).toBe(true);
    const rest = await allOf(session.read('a.gpg', { offset: 50 * MIB + 1 }, never));
    expect(rest.equals(bytes.subarray(50 * MIB + 1))).toBe(true);
  });

  test('keys are exchanged anew in the middle of a file', async () => {
    const { sshd, session } = await opened({ RekeyLimit: '1M' });
    const bytes = Buffer.from(generatedContent(16 * MIB).read(0, 16 * MIB));
    await writeFile(join(sshd.folder, 'a.gpg'), bytes);
    expect(session.decryption).toBe('own');
    expect((await allOf(session.read('a.gpg', {}, never))).equals(bytes)).toBe(true);
  });

  test('a listing tells size, time and kind, and refuses what must not be opened', async () => {
    const { sshd, session } = await opened();
    await writeFile(join(sshd.folder, 'a.csv'), '12345');
    await utimes(join(sshd.folder, 'a.csv'), 0, 1_768_447_800);
    await writeFile(Buffer.concat([Buffer.from(`${sshd.folder}/r`), Buffer.of(0xe9)]), '');
    await writeFile(join(sshd.folder, 'new\nline'), '');
    await mkdir(join(sshd.folder, 'folder'));
    await symlink('a.csv', join(sshd.folder, 'link'));
    await promisify(execFile)('mkfifo', [join(sshd.folder, 'fifo')]);
    const entries = new Map<string, string>();
    for await (const { name, kind, refused } of session.list('', never)) {
      entries.set(JSON.stringify(name), `${kind} ${refused?.split(':')[0] ?? 'ok'}`);
    }
    expect(Object.fromEntries(entries)).toEqual({
      '"a.csv"': 'file ok',
      '"r\uFFFD"': 'file UNREADABLE_NAME',
      '"new\\nline"': 'file UNSAFE_NAME',
      '"folder"': 'folder ok',
      '"link"': 'symlink NOT_A_FILE',
      '"fifo"': 'other NOT_A_FILE',
    });
    expect(await session.stat('a.csv', never)).toEqual({
      size: 5,
      mtimeMs: 1_768_447_800_000,
      kind: 'file',
    });
    expect(await session.stat('none', never)).toBeUndefined();
    expect(await session.realpath('.', never)).toBe(sshd.folder);
  });

  test('a rename never replaces, folders are made once, files are removed', async () => {
    const { sshd, session } = await opened();
    await writeFile(join(sshd.folder, 'a'), 'one');
    await writeFile(join(sshd.folder, 'b'), 'two');
    await session.makeFolder('archive', never);
    await session.makeFolder('archive', never);
    await session.rename('a', 'archive/a', never);
    expect((await failureOf(session.rename('b', 'archive/a', never))).code).toBe('TARGET_EXISTS');
    expect((await failureOf(session.rename('a', 'c', never))).type).toBe('not_found');
    expect(await readFile(join(sshd.folder, 'archive/a'), 'utf8')).toBe('one');
    await session.remove('b', never);
    expect((await failureOf(session.remove('b', never))).code).toBe('NO_SUCH_FILE');
  });

  test('a file that grew or shrank since it was listed is told as such', async () => {
    const { sshd, session } = await opened();
    const path = join(sshd.folder, 'a');
    await writeFile(path, Buffer.alloc(3 * MIB));
    const read = () => allOf(session.read('a', { size: 3 * MIB }, never));
    await appendFile(path, 'x');
    expect((await failureOf(read())).code).toBe('GROWN');
    await truncate(path, MIB);
    expect((await failureOf(read())).code).toBe('TRUNCATED');
  });

  test('only the pinned host key is accepted, of whatever type it is', async () => {
    const { sshd } = await opened();
    const trying = (options: Partial<SftpOptions>) =>
      connectSftp({ ...sshd.options, ...options }, services, never);
    await using _ = await trying({ hostKeys: [sshd.rsa.fingerprint] });
    const wrong = [hostKeyFromSeed('someone else').fingerprint];
    expect((await failureOf(trying({ hostKeys: wrong }))).code).toBe('HOST_KEY_CHANGED');
    expect((await failureOf(trying({ username: 'nobody-here' }))).code).toBe('LOGIN_REFUSED');
  });

  test('every step of the diagnosis passes', async () => {
    const { sshd } = await opened();
    const outcomes: string[] = [];
    for await (const { step, outcome } of diagnoseSftp(sshd.options, services, '', never)) {
      outcomes.push(`${step} ${outcome}`);
    }
    expect(outcomes).toEqual(
      ['resolve', 'connect', 'host key', 'login', 'list'].map((step) => `${step} passed`),
    );
  });
});

async function opened(
  settings: { readonly [name: string]: string } = {},
): Promise<{ sshd: Sshd; session: SftpSession }> {
  const sshd = await startSshd(settings);
  onTestFinished(() => sshd[Symbol.asyncDispose]());
  const session = await connectSftp(sshd.options, services, never);
  onTestFinished(() => session[Symbol.asyncDispose]());
  return { sshd, session };
}
