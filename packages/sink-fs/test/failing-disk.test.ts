import { ManualClock, proofOf, RecordingLogger } from '@octo/plugin-testing';
import type { Staged } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { FolderSink } from '../src/folder-sink.ts';
import { errno, SimulatedDisk } from './simulated-disk.ts';

const ROOT = '/srv/delivered';
const quiet = new AbortController().signal;
const bytes = Buffer.from('deposit_id,amount\n');

function open() {
  const disk = new SimulatedDisk();
  const logger = new RecordingLogger();
  const clock = new ManualClock();
  const sink = new FolderSink({
    directory: ROOT,
    fileMode: 0o640,
    directoryMode: 0o750,
    logger,
    clock,
    disk,
  });
  return { disk, sink, logger };
}

/** Every call whose description matches fails with the errno, after it was applied or before. */
function fail(
  disk: SimulatedDisk,
  call: RegExp,
  code: string,
  applied: 'before' | 'after' = 'before',
) {
  disk.hook = (when, name) => {
    if (when === applied && call.test(name)) throw errno(code, name);
  };
}

async function staged(sink: FolderSink, content = bytes): Promise<Staged> {
  const upload = await sink.stage({ key: 'key', metadata: { 'octo-delivery': 'ours' } }, quiet);
  await upload.write(content, quiet);
  return upload;
}

test('a full disk says which folder and what to do, and its file is removed at once', async () => {
  const { disk, sink } = open();
  const upload = await sink.stage({ key: 'key', metadata: {} }, quiet);
  fail(disk, /^write/, 'ENOSPC');
  const large = Buffer.alloc(300_000);
  await expect(upload.write(large, quiet)).rejects.toMatchObject({
    type: 'provider_down',
    code: 'DISK_FULL',
    message: expect.stringMatching(/\/srv\/delivered.*free some space/) as string,
  });
  disk.hook = () => {};
  expect(await disk.list(`${ROOT}/.octo/staged`)).toEqual([]);
  await expect(upload.write(large, quiet)).rejects.toMatchObject({ type: 'not_found' });
  expect(await upload.commit(proofOf(large), quiet)).toEqual({ outcome: 'gone' });
});

test.each([
  ['EDQUOT', 'provider_down', 'DISK_FULL'],
  ['EACCES', 'auth', 'PERMISSION_DENIED'],
  ['EROFS', 'auth', 'PERMISSION_DENIED'],
  ['EXDEV', 'validation', 'NO_HARD_LINKS'],
  ['EIO', 'provider_down', 'DISK_ERROR'],
  ['ESTALE', 'provider_down', 'DISK_ERROR'],
])('a link that fails with %s is told as %s, and can be tried again', async (code, type, word) => {
  const { disk, sink } = open();
  const upload = await staged(sink);
  fail(disk, /^link .*key/, code);
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject({ type, code: word });
  disk.hook = () => {};
  expect(disk.visible(ROOT)).toEqual({});
  expect(await upload.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
});

test('a file system without hard links is refused before anything is staged', async () => {
  const { disk, sink } = open();
  fail(disk, /^link/, 'EPERM');
  await expect(staged(sink)).rejects.toMatchObject({ type: 'validation', code: 'NO_HARD_LINKS' });
  disk.hook = () => {};
  expect(await disk.list(`${ROOT}/.octo`)).toEqual(['staged', 'objects', 'replacing']);
  await staged(sink);
});

test('a file system whose links replace what is there is refused, too', async () => {
  const { disk, sink } = open();
  disk.link = async () => {};
  await expect(staged(sink)).rejects.toMatchObject({ code: 'NO_HARD_LINKS' });
});

test('a file whose sync failed is never synced again, nor committed', async () => {
  const { disk, sink } = open();
  const upload = await staged(sink);
  fail(disk, /^sync /, 'EIO');
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject({
    type: 'provider_down',
  });
  disk.hook = () => {};
  expect(await upload.commit(proofOf(bytes), quiet)).toEqual({ outcome: 'gone' });
  expect(disk.visible(ROOT)).toEqual({});
  expect(await disk.list(`${ROOT}/.octo/staged`)).toEqual([]);
});

test('a folder whose sync failed is not trusted again until the next start', async () => {
  const { disk, sink } = open();
  const upload = await staged(sink);
  disk.hook = (when, call) => {
    if (when === 'before' && call === `syncFolder ${ROOT}`) throw errno('EIO', 'fsync');
  };
  const refused = { type: 'provider_down', code: 'FSYNC_FAILED' };
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject(refused);
  disk.hook = () => {};
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject(refused);
  await expect(sink.head('key', quiet)).rejects.toMatchObject(refused);
  await expect(sink.head('absent', quiet)).rejects.toMatchObject(refused);
  await expect(sink.health(quiet)).rejects.toMatchObject(refused);
});

test('a link that was made although it failed is recognised when the commit is repeated', async () => {
  const { disk, sink } = open();
  const upload = await staged(sink);
  fail(disk, /^link .*key/, 'EIO', 'after');
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject({ code: 'DISK_ERROR' });
  disk.hook = () => {};
  expect(await upload.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
  expect(await sink.head('key', quiet)).toMatchObject({ metadata: { 'octo-delivery': 'ours' } });
});

test('a link that was made although it failed stays ours when the upload is aborted meanwhile', async () => {
  const { disk, sink } = open();
  const upload = await staged(sink);
  fail(disk, /^link .*key/, 'EIO', 'after');
  await expect(upload.commit(proofOf(bytes), quiet)).rejects.toMatchObject({ code: 'DISK_ERROR' });
  disk.hook = () => {};
  await sink.abort({ key: 'key', id: upload.id }, quiet);
  expect(await upload.commit(proofOf(bytes), quiet)).toEqual({ outcome: 'gone' });
  expect(await sink.head('key', quiet)).toMatchObject({ metadata: { 'octo-delivery': 'ours' } });
});

test('a replacement that was made although it failed is recognised when the commit is repeated', async () => {
  const { disk, sink } = open();
  await (await staged(sink)).commit(proofOf(bytes), quiet);
  const etag = (await sink.head('key', quiet))?.etag ?? '';
  const better = Buffer.from('deposit_id,amount\n1,2\n');
  const upload = await staged(sink, better);
  fail(disk, /^rename/, 'EIO', 'after');
  const proof = proofOf(better, { etag });
  await expect(upload.commit(proof, quiet)).rejects.toMatchObject({ code: 'DISK_ERROR' });
  disk.hook = () => {};
  expect(await upload.commit(proof, quiet)).toMatchObject({ outcome: 'committed' });
  expect(disk.visible(ROOT)).toEqual({ key: better.toString() });
});

test('who wanted to replace an object and died does not stand in the way once he was aborted', async () => {
  const { disk, sink } = open();
  await (await staged(sink)).commit(proofOf(bytes), quiet);
  const etag = (await sink.head('key', quiet))?.etag ?? '';
  const dead = await staged(sink);
  fail(disk, /^rename/, 'EIO');
  await expect(dead.commit(proofOf(bytes, { etag }), quiet)).rejects.toThrow('EIO');
  disk.hook = () => {};
  const contender = await staged(sink);
  expect(await contender.commit(proofOf(bytes, { etag }), quiet)).toEqual({ outcome: 'conflict' });
  await sink.abort({ key: 'key', id: dead.id }, quiet);
  const heir = await staged(sink);
  expect(await heir.commit(proofOf(bytes, { etag }), quiet)).toMatchObject({
    outcome: 'committed',
  });
  expect(await dead.commit(proofOf(bytes, { etag }), quiet)).toEqual({ outcome: 'gone' });
});

test('a committed file is committed although tidying up fails, and that is logged', async () => {
  const { disk, sink, logger } = open();
  const upload = await staged(sink);
  fail(disk, /^unlink .*staged/, 'EIO');
  expect(await upload.commit(proofOf(bytes), quiet)).toMatchObject({ outcome: 'committed' });
  expect(logger.messages('warn')).toContain('staged file was not tidied up');
});

test('the diagnosis stops at the step that fails, says what to do and leaves nothing behind', async () => {
  const { disk, sink } = open();
  await staged(sink);
  fail(disk, /^link/, 'ENOTSUP');
  const steps = await Array.fromAsync(sink.diagnose(quiet));
  expect(steps.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
    'folder: passed',
    'write: passed',
    'hard link: failed',
  ]);
  expect(steps.at(-1)).toMatchObject({
    error: { type: 'validation', code: 'NO_HARD_LINKS' },
    remedy: 'place the directory on a file system with hard links',
  });
  disk.hook = () => {};
  expect(await disk.list(ROOT)).toEqual(['.octo']);
});

test('health of a directory in which nothing may be written says so, and what to do', async () => {
  const { disk, sink } = open();
  await staged(sink);
  fail(disk, new RegExp(`^mayWrite ${ROOT}$`), 'EACCES');
  await expect(sink.health(quiet)).rejects.toMatchObject({
    type: 'auth',
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining(ROOT) as string,
  });
});

test('a sync that fails while more bytes come is not forgotten, whatever later syncs say', async () => {
  const { disk, sink } = open();
  const upload = await sink.stage({ key: 'key', metadata: {} }, quiet);
  const syncs: string[] = [];
  disk.hook = (when, name) => {
    if (when !== 'before' || !name.startsWith('sync')) return;
    syncs.push(name);
    if (syncs.length === 1) throw errno('EIO', name);
  };
  const large = Buffer.alloc(33 * 1024 ** 2);
  await upload.write(large, quiet);
  expect(syncs).toHaveLength(1);
  const failure = { type: 'provider_down', code: 'DISK_ERROR' };
  await expect(upload.commit(proofOf(large), quiet)).rejects.toMatchObject(failure);
  expect(disk.visible(ROOT)).toEqual({});
  expect(await upload.commit(proofOf(large), quiet)).toEqual({ outcome: 'gone' });
});
