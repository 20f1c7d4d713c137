import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { openLedger } from '../src/ledger/open-ledger.ts';
import { hostProcess } from '../test/state/host-process.ts';

const NOBODY = { uid: 65534, gid: 65534 };
const isRoot = process.geteuid?.() === 0;
const canMount = isRoot && tryMount();
if (!isRoot) console.warn('state as another user: not run, that takes root');
if (!canMount) console.warn('full disk: not run, that takes the right to mount');

const logger = new RecordingLogger();

function tryMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

async function folderOf(owner: {
  uid: number;
  gid: number;
}): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'octo-state-'));
  await chown(path, owner.uid, owner.gid);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test.runIf(isRoot)('an ordinary user has a ledger and a server of their own', async () => {
  await using folder = await folderOf(NOBODY);
  const host = await hostProcess('claim', folder.path, NOBODY);
  const server = await stat(`/proc/${String(host.said['postmaster'])}`);
  expect(server.uid).toBe(NOBODY.uid);
  await host.end();
  const pidFile = join(folder.path, 'postgres', 'cluster', 'data', 'postmaster.pid');
  await expect(stat(pidFile)).rejects.toThrow('ENOENT');
});

test.runIf(isRoot)('a state folder of another user is refused', async () => {
  await using folder = await folderOf(NOBODY);
  await expect(openLedger({ stateFolder: folder.path, logger })).rejects.toMatchObject({
    code: 'OCTO_STATE_UNSAFE',
    message: expect.stringContaining('65534'),
  });
  await chown(folder.path, 0, 0);
  await chmod(folder.path, 0o700);
  await expect(hostProcess('claim', folder.path, NOBODY)).rejects.toThrow('belongs to user id 0');
});

test.runIf(canMount)('a full disk is told as that, and is no harm once there is room', async () => {
  await using folder = await folderOf({ uid: 0, gid: 0 });
  const mount = (size: string, more = ''): void =>
    void execFileSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${size},mode=700${more}`,
      'octo',
      folder.path,
    ]);
  mount('24m');
  try {
    await expect(openLedger({ stateFolder: folder.path, logger })).rejects.toMatchObject({
      code: 'OCTO_STATE_FULL',
    });
    mount('300m', ',remount');
    await using ledger = await openLedger({ stateFolder: folder.path, logger });
    expect(await ledger.list({ limit: 1 })).toEqual([]);
  } finally {
    execFileSync('umount', [folder.path]);
  }
});
