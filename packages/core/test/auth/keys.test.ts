import { hash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Credential } from '../../src/auth/credential.ts';
import { KnownKeys } from '../../src/auth/known-keys.ts';
import { openAuth, openKeys } from '../../src/auth/open-auth.ts';
import { privateFile } from '../../src/auth/private-file.ts';
import { parseScopes, scopeText } from '../../src/auth/scope.ts';
import { openDatabase, type OpenedDatabase } from '../../src/ledger/open-ledger.ts';
import { copyClusterIntoState } from '../ledger/copied-cluster.ts';

let folder: string;
let opened: OpenedDatabase;
const logger = new RecordingLogger();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-auth-'));
  await copyClusterIntoState(folder);
  opened = await openDatabase({ stateFolder: folder, logger });
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const scopes = parseScopes(['runs:read']);

test('of a key only a keyed hash is kept', async () => {
  const { store } = await openKeys(opened.database, folder);
  const { key, text } = await store.create({ name: 'ci', scopes });
  expect(text).toMatch(/^octo_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  const [row] = await opened.database.query<{ row: string; hash: Buffer }>(
    'select k::text as row, hash from octo.api_key k where id = $1',
    [key.id],
  );
  const secret = text.slice(22);
  expect(row?.row).not.toContain(secret);
  expect(row?.hash).toHaveLength(32);
  for (const bytes of [Buffer.from(secret), Buffer.from(secret, 'base64url')]) {
    expect(row?.row).not.toContain(bytes.toString('hex'));
    for (const algorithm of ['sha256', 'sha512'])
      expect(row?.row).not.toContain(hash(algorithm, bytes));
  }
  expect(row?.row).not.toContain(hash('sha256', text));
  const files = await readdir(join(folder, 'api'));
  for (const name of files) {
    expect((await stat(join(folder, 'api', name))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'api', name), 'latin1')).not.toContain(secret);
  }
});

test('another pepper opens nothing: a stolen database is not enough', async () => {
  const { store } = await openKeys(opened.database, folder);
  const { text } = await store.create({ name: 'ci', scopes });
  const elsewhere = await mkdtemp(join(tmpdir(), 'octo-auth-'));
  try {
    const { store: other } = await openKeys(opened.database, elsewhere);
    const clock = new ManualClock(Date.now());
    expect(await new KnownKeys({ store: other, clock, logger }).proved(text)).toBeUndefined();
    expect(await new KnownKeys({ store, clock, logger }).proved(text)).toMatchObject({
      name: 'ci',
    });
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('a key that another host revoked opens nothing after two seconds', async () => {
  const { store } = await openKeys(opened.database, folder);
  const clock = new ManualClock(Date.now());
  const known = new KnownKeys({ store, clock, logger });
  const { key, text } = await store.create({ name: 'ci', scopes });
  expect(await known.proved(text)).toBeDefined();
  await store.revoke(key.id);
  await clock.advance(2_000);
  expect(await known.proved(text)).toBeUndefined();
  const listed = await store.list();
  expect(listed.find(({ id }) => id === key.id)?.revokedAt).toBeDefined();
});

test('a key opens until it expires, and not a moment longer', async () => {
  const { store } = await openKeys(opened.database, folder);
  const clock = new ManualClock(Date.now());
  const known = new KnownKeys({ store, clock, logger });
  const { text } = await store.create({ name: 'ci', scopes, expiresAt: clock.now() + 60_000 });
  await clock.advance(59_999);
  expect(await known.proved(text)).toBeDefined();
  await clock.advance(1);
  expect(await known.proved(text)).toBeUndefined();
});

test('that a key was used is noted once a minute, however often it is', async () => {
  const { store } = await openKeys(opened.database, folder);
  const clock = new ManualClock(Date.now());
  const touched: string[] = [];
  const counting = {
    find: store.find.bind(store),
    hashOf: store.hashOf.bind(store),
    touch: async (id: string) => {
      touched.push(id);
      await store.touch(id);
    },
  };
  const known = new KnownKeys({ store: counting, clock, logger });
  const { key, text } = await store.create({ name: 'ci', scopes });
  for (let n = 0; n < 5; n++) await known.proved(text);
  expect(touched).toEqual([key.id]);
  await expect.poll(async () => (await store.find(key.id))?.key.lastUsedAt).toBeDefined();
  await clock.advance(60_000);
  await known.proved(text);
  expect(touched).toEqual([key.id, key.id]);
});

test('a wrong secret costs a question to the database, whether there is such a key or not', async () => {
  const { store } = await openKeys(opened.database, folder);
  const clock = new ManualClock(Date.now());
  let questions = 0;
  const counting = {
    find: async (id: string) => {
      questions++;
      return await store.find(id);
    },
    hashOf: store.hashOf.bind(store),
    touch: store.touch.bind(store),
  };
  const known = new KnownKeys({ store: counting, clock, logger });
  const { key, text } = await store.create({ name: 'ci', scopes });
  await known.proved(text);
  await known.proved(text);
  expect(questions).toBe(1);
  await known.proved(`octo_${key.id}_${'x'.repeat(43)}`);
  await known.proved(`octo_${'0'.repeat(16)}_${'x'.repeat(43)}`);
  expect(questions).toBe(3);
});

test('nothing about a key that is wrong, revoked, expired or unknown shows in the work that it makes', async () => {
  const { store } = await openKeys(opened.database, folder);
  const clock = new ManualClock(Date.now());
  const work: string[] = [];
  const counting = {
    find: (id: string) => (work.push('question'), store.find(id)),
    hashOf: (credential: Credential) => (work.push('hash'), store.hashOf(credential)),
    touch: (id: string) => (work.push('note'), store.touch(id)),
  };
  const { key, text } = await store.create({ name: 'good', scopes });
  const revoked = await store.create({ name: 'revoked', scopes });
  await store.revoke(revoked.key.id);
  const expired = await store.create({ name: 'expired', scopes, expiresAt: clock.now() - 1 });
  const known = new KnownKeys({ store: counting, clock, logger });
  const wrong = `octo_${key.id}_${'x'.repeat(43)}`;
  const unknown = `octo_${'0'.repeat(16)}_${'x'.repeat(43)}`;
  const tried = async (guess: string) => {
    work.length = 0;
    return [await known.proved(guess), ...work];
  };
  const same = [undefined, 'hash', 'question'];
  for (const guess of [wrong, unknown, revoked.text, expired.text, wrong, unknown])
    expect(await tried(guess)).toEqual(same);
  await known.proved(text);
  expect(await tried(wrong)).toEqual(same);
  expect(await tried(unknown)).toEqual(same);
});

test('hosts of one database and one pepper accept each other’s tokens; a key that only the database names is none', async () => {
  const other = await mkdtemp(join(tmpdir(), 'octo-auth-'));
  try {
    const clock = new ManualClock(Date.now());
    const pepper = await readFile(join(folder, 'api/pepper'));
    await privateFile(join(other, 'api/pepper'), () => pepper);
    const keep = { database: opened.database, clock, logger };
    const one = await openAuth({ ...keep, stateFolder: folder });
    const two = await openAuth({ ...keep, stateFolder: other });
    const { store } = await openKeys(opened.database, folder);
    const { key } = await store.create({ name: 'ci', scopes });
    const token = await one.tokens.issue(key.id, scopes);
    const answer = await two.doorkeeper.admit(token, '127.0.0.1');
    expect(answer).toMatchObject({ answer: 'known', identity: { kind: 'client', id: key.id } });
    await opened.database.query("update octo.token_key set seal = sha256('forged')");
    const three = await openAuth({ ...keep, stateFolder: other });
    expect(await three.doorkeeper.admit(token, '127.0.0.1')).toEqual({ answer: 'unknown' });
  } finally {
    await rm(other, { recursive: true });
  }
});

test('a token ends after a quarter of an hour, and with its key, and never opens more than its key', async () => {
  const clock = new ManualClock(Date.now());
  const auth = await openAuth({ database: opened.database, stateFolder: folder, clock, logger });
  const { store } = await openKeys(opened.database, folder);
  const { key } = await store.create({ name: 'ci', scopes });
  const greedy = await auth.tokens.issue(key.id, parseScopes(['admin', 'runs:read']));
  const answer = await auth.doorkeeper.admit(greedy, 'here');
  expect(answer.answer === 'known' && answer.identity.scopes.map(scopeText)).toEqual(['runs:read']);
  await clock.advance(900_000);
  expect(await auth.doorkeeper.admit(greedy, 'here')).toEqual({ answer: 'unknown' });
  const fresh = await auth.tokens.issue(key.id, scopes);
  expect((await auth.doorkeeper.admit(fresh, 'here')).answer).toBe('known');
  await store.revoke(key.id);
  await clock.advance(2_000);
  expect(await auth.doorkeeper.admit(fresh, 'here')).toEqual({ answer: 'unknown' });
});

test('a secret that others may read is refused with what to type', async () => {
  const path = join(folder, 'open-secret');
  await writeFile(path, 'x');
  await chmod(path, 0o644);
  await expect(privateFile(path, () => Buffer.from('x'))).rejects.toMatchObject({
    code: 'OCTO_STATE_UNSAFE',
    message: expect.stringContaining(`chmod 600 '${path}'`),
  });
});

test('processes that make a secret at the same time agree on one', async () => {
  const path = join(folder, 'new/secret');
  let made = 0;
  const make = () => Buffer.from(`secret ${made++}`);
  const found = await Promise.all(Array.from({ length: 8 }, () => privateFile(path, make)));
  expect(new Set(found.map(String)).size).toBe(1);
  expect(await readdir(join(folder, 'new'))).toEqual(['secret']);
});
