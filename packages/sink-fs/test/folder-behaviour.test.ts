import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ManualClock, proofOf, RecordingLogger, syncToDisk } from '@octo/plugin-testing';
import type { CommitAnswer, Sink } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import plugin from '../src/index.ts';
import { openFolder } from './open-folder.ts';

const DAY_MS = 24 * 3_600_000;
const quiet = new AbortController().signal;
const bytes = Buffer.from('deposit_id,amount\n');

async function put(sink: Sink, key: string, content = bytes): Promise<CommitAnswer> {
  await using staged = await sink.stage({ key, metadata: { 'octo-delivery': 'ours' } }, quiet);
  await staged.write(content, quiet);
  return staged.commit(proofOf(content), quiet);
}

describe('what lies in the folder', () => {
  test('has the modes of the configuration, whatever the umask', async () => {
    await using place = await openFolder();
    const sink = place.another({ fileMode: 0o666, directoryMode: 0o777 });
    await put(sink, 'a/b/file');
    const modeOf = async (path: string) => (await stat(join(place.root, path))).mode & 0o777;
    expect(await modeOf('a/b/file')).toBe(0o666);
    expect([await modeOf(''), await modeOf('a'), await modeOf('a/b')]).toEqual([
      0o777, 0o777, 0o777,
    ]);
    expect(await modeOf('.octo')).toBe(0o700);
  });

  test('is nothing of an upload before its first byte, and nothing staged after the commit', async () => {
    await using place = await openFolder();
    const staged = join(place.root, '.octo/staged');
    const upload = await place.sink.stage({ key: 'key', metadata: {} }, quiet);
    expect(await readdir(staged)).toEqual([]);
    await upload.write(bytes, quiet);
    expect((await stat(join(staged, upload.id))).mode & 0o777).toBe(0o600);
    await upload.commit(proofOf(bytes), quiet);
    expect(await readdir(staged)).toEqual([]);
  });

  test('is one record for each object, also after others came too late', async () => {
    await using place = await openFolder();
    await put(place.sink, 'key');
    expect(await put(place.sink, 'key')).toEqual({ outcome: 'exists' });
    expect(await readdir(join(place.root, '.octo/objects'))).toHaveLength(1);
  });
});

describe('a file is not ours any more when somebody', () => {
  const CHANGES: readonly (readonly [string, (file: string) => Promise<void>])[] = [
    ['appended to it', (file) => writeFile(file, 'more', { flag: 'a' })],
    ['changed it without changing its size', (file) => writeFile(file, Buffer.alloc(bytes.length))],
    ['gave it another time', (file) => utimes(file, 1, 1)],
    [
      'replaced it by a copy',
      async (file) => {
        await copyFile(file, `${file}.copy`);
        await rename(`${file}.copy`, file);
      },
    ],
    [
      'removed it and made another one of the same size',
      async (file) => {
        await rm(file);
        await writeFile(file, bytes);
      },
    ],
  ];

  test.each(CHANGES)('%s', async (_, change) => {
    await using place = await openFolder();
    await put(place.sink, 'key');
    expect((await place.sink.head('key', quiet))?.metadata).toEqual({ 'octo-delivery': 'ours' });
    await change(join(place.root, 'key'));
    expect((await place.sink.head('key', quiet))?.metadata).toEqual({});
    expect(await put(place.sink, 'key')).toEqual({ outcome: 'exists' });
  });

  test('moved it to another key', async () => {
    await using place = await openFolder();
    await put(place.sink, 'key');
    await rename(join(place.root, 'key'), join(place.root, 'other'));
    expect((await place.sink.head('other', quiet))?.metadata).toEqual({});
    expect(await place.sink.head('key', quiet)).toBeUndefined();
  });
});

test('a change of permissions leaves a file ours', async () => {
  await using place = await openFolder();
  await put(place.sink, 'key');
  await chmod(join(place.root, 'key'), 0o444);
  const sha256 = createHash('sha256').update(bytes).digest();
  expect(await place.sink.head('key', quiet)).toMatchObject({
    metadata: { 'octo-delivery': 'ours' },
    sha256,
  });
});

describe('keys', () => {
  test.each(['.octo/objects/x', '.octo', '.OCTO/x', 'n'.repeat(256), 'ü'.repeat(128)])(
    '%j is refused by every verb that takes a key',
    async (key) => {
      await using place = await openFolder();
      const refused = { type: 'validation', code: 'KEY_REFUSED' };
      await expect(place.sink.stage({ key, metadata: {} }, quiet)).rejects.toMatchObject(refused);
      await expect(place.sink.head(key, quiet)).rejects.toMatchObject(refused);
    },
  );

  test('a key that makes a path too long is refused when the upload begins', async () => {
    await using place = await openFolder();
    const key = Array.from({ length: 40 }, () => 'folder-name'.repeat(15)).join('/');
    await expect(place.sink.stage({ key, metadata: {} }, quiet)).rejects.toMatchObject({
      type: 'validation',
      code: 'KEY_TOO_LONG',
    });
  });

  test('a symbolic link below the folder leads nowhere', async () => {
    await using place = await openFolder();
    const outside = join(dirname(place.root), 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await put(place.sink, 'first');
    await symlink(outside, join(place.root, 'way-out'));
    const refused = { type: 'validation', code: 'KEY_BLOCKED' };
    await expect(put(place.sink, 'way-out/key')).rejects.toMatchObject(refused);
    await expect(place.sink.head('way-out/secret', quiet)).rejects.toMatchObject(refused);
    expect(await readdir(outside)).toEqual(['secret']);
  });

  test('a symbolic link that is put in the way during the upload leads nowhere, either', async () => {
    await using place = await openFolder();
    const outside = join(dirname(place.root), 'outside');
    await mkdir(outside);
    await using staged = await place.sink.stage({ key: 'folder/key', metadata: {} }, quiet);
    await staged.write(bytes, quiet);
    await symlink(outside, join(place.root, 'folder'));
    await expect(staged.commit(proofOf(bytes), quiet)).rejects.toMatchObject({
      code: 'KEY_BLOCKED',
    });
    expect(await readdir(outside)).toEqual([]);
  });

  test('a symbolic link or a folder at the key is something of a stranger', async () => {
    await using place = await openFolder();
    await mkdir(join(place.root, 'folder'), { recursive: true });
    await symlink('/nowhere', join(place.root, 'link'));
    for (const key of ['folder', 'link']) {
      expect(await put(place.sink, key)).toEqual({ outcome: 'exists' });
      expect(await place.sink.head(key, quiet)).toEqual({ bytes: 0, metadata: {} });
    }
  });

  test('no object can be placed inside a file', async () => {
    await using place = await openFolder();
    await put(place.sink, 'file');
    await expect(put(place.sink, 'file/key')).rejects.toMatchObject({ code: 'KEY_BLOCKED' });
    expect(await place.sink.head('file/key', quiet)).toBeUndefined();
  });
});

describe('an abort before the first byte', () => {
  test('is remembered for longer than an upload may take to begin', async () => {
    await using place = await openFolder();
    const upload = await place.sink.stage({ key: 'key', metadata: {} }, quiet);
    await place.another().abort({ key: 'key', id: upload.id }, quiet);
    await place.clock.advance(29 * DAY_MS);
    await put(place.another(), 'other');
    expect(await readdir(join(place.root, '.octo/staged'))).toEqual([upload.id]);
    await place.clock.advance(2 * DAY_MS);
    await place.another().stage({ key: 'other', metadata: {} }, quiet);
    expect(await readdir(join(place.root, '.octo/staged'))).toEqual([]);
    await expect(upload.write(bytes, quiet)).rejects.toMatchObject({ type: 'not_found' });
    expect(await upload.commit(proofOf(bytes), quiet)).toEqual({ outcome: 'gone' });
  });
});

test.each([
  ['short', '2026/01/settlement ü.csv', 1],
  ['longer than a name may be', `${'a'.repeat(150)}/${'b'.repeat(150)}`, 2],
])('an upload whose key is %s is listed with it, and leaves nothing', async (_, key, names) => {
  await using place = await openFolder();
  await using upload = await place.sink.stage({ key, metadata: {}, sizeHint: 10 }, quiet);
  await upload.write(Buffer.alloc(300_000), quiet);
  const seen: string[] = [];
  for await (const one of place.another().uploads(quiet)) seen.push(one.id, one.key);
  expect(seen).toEqual([upload.id, key]);
  expect(await readdir(join(place.root, '.octo/staged'))).toHaveLength(names);
  await upload.commit(proofOf(Buffer.alloc(300_000)), quiet);
  expect(await readdir(join(place.root, '.octo/staged'))).toEqual([]);
});

describe('the place', () => {
  test('is the same through a symbolic link', async () => {
    await using place = await openFolder();
    await place.sink.stage({ key: 'key', metadata: {} }, quiet);
    const linked = join(dirname(place.root), 'linked');
    await symlink(place.root, linked);
    const other = place.another({ directory: linked });
    await other.start(quiet);
    expect(other.place).toBe(place.sink.place);
    await put(other, 'key');
    expect((await readFile(join(place.root, 'key'))).equals(bytes)).toBe(true);
  });

  test('does not change its name when the folder is made', async () => {
    await using place = await openFolder();
    const linked = join(dirname(place.root), 'linked');
    await mkdir(join(dirname(place.root), 'real'));
    await symlink(join(dirname(place.root), 'real'), linked);
    const sink = place.another({ directory: join(linked, 'a/b') });
    await sink.start(quiet);
    const before = sink.place;
    await put(sink, 'key');
    const later = place.another({ directory: join(linked, 'a/b') });
    await later.start(quiet);
    expect([sink.place, later.place]).toEqual([before, before]);
    expect(before).toBe(pathToFileURL(join(dirname(place.root), 'real/a/b')).href);
  });

  test('that is a symbolic link to nowhere is refused', async () => {
    await using place = await openFolder();
    await symlink('/nowhere', place.root);
    await place.sink.start(quiet);
    const refused = { type: 'not_found', code: 'FOLDER_GONE' };
    await expect(put(place.sink, 'key')).rejects.toMatchObject(refused);
    await expect(place.sink.health(quiet)).rejects.toMatchObject(refused);
    const steps = await Array.fromAsync(place.sink.diagnose(quiet));
    expect(steps).toMatchObject([{ step: 'folder', outcome: 'failed', error: refused }]);
  });

  test('is relative to the folder of the manifest', async () => {
    await using place = await openFolder();
    const config = { directory: './delivered', fileMode: '0600', directoryMode: '0700' };
    const context = {
      id: 'local',
      config,
      baseFolder: dirname(place.root),
      logger: new RecordingLogger(),
      clock: new ManualClock(),
      sync: syncToDisk,
    };
    const sink = plugin.create(context as never) as Sink;
    expect(sink.place).toBe(pathToFileURL(place.root).href);
    await put(sink, 'key');
    expect((await stat(join(place.root, 'key'))).mode & 0o777).toBe(0o600);
  });

  test('that is taken away during an upload is named', async () => {
    await using place = await openFolder();
    await using staged = await place.sink.stage({ key: 'key', metadata: {} }, quiet);
    await rm(place.root, { recursive: true });
    await expect(staged.write(bytes, quiet)).rejects.toMatchObject({
      type: 'not_found',
      code: 'FOLDER_GONE',
      message: expect.stringContaining(place.root) as string,
    });
  });

  test('may be taken away: the next upload makes it again', async () => {
    await using place = await openFolder();
    await put(place.sink, 'key');
    await rm(place.root, { recursive: true });
    expect(await place.sink.head('key', quiet)).toBeUndefined();
    expect(await put(place.sink, 'key')).toMatchObject({ outcome: 'committed' });
  });
});

describe('health', () => {
  test('of a directory that can be made when it is needed is good, and makes nothing', async () => {
    await using place = await openFolder();
    await place.sink.health(quiet);
    expect(await readdir(dirname(place.root))).toEqual([]);
  });

  test('of a directory that is there leaves it as it was', async () => {
    await using place = await openFolder();
    await put(place.sink, 'key');
    const before = await readdir(place.root, { recursive: true });
    await place.sink.health(quiet);
    expect(await readdir(place.root, { recursive: true })).toEqual(before);
  });
});

describe('the diagnosis', () => {
  test('of a directory that does not exist yet leaves nothing behind', async () => {
    await using place = await openFolder();
    const steps = await Array.fromAsync(place.sink.diagnose(quiet));
    expect(steps.map(({ step }) => step)).toEqual([
      'folder',
      'write',
      'hard link',
      'sync folder',
      'delete',
      'free space',
    ]);
    expect(steps.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(await readdir(dirname(place.root))).toEqual([]);
  });

  test('of a directory that is a file says so', async () => {
    await using place = await openFolder();
    await writeFile(place.root, 'a file');
    const steps = await Array.fromAsync(place.sink.diagnose(quiet));
    expect(steps).toMatchObject([
      { step: 'folder', outcome: 'failed', error: { code: 'NOT_A_FOLDER' } },
    ]);
    await expect(place.sink.health(quiet)).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(put(place.sink, 'key')).rejects.toMatchObject({ type: 'validation' });
  });

  test('that is stopped in the middle leaves nothing behind', async () => {
    await using place = await openFolder();
    for await (const { step } of place.sink.diagnose(quiet)) if (step === 'write') break;
    expect(await readdir(dirname(place.root))).toEqual([]);
  });
});
