import { execFile } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { postgresBinaries } from '../../src/state/embedded/binaries.ts';
import { createCluster, readCluster } from '../../src/state/embedded/cluster.ts';
import { takeFileLock } from '../../src/state/file-lock.ts';

const PAUSE_MS = 20;

/**
 * Lays a new cluster into the folder of an embedded PostgreSQL that has none: a copy of one that the whole run of tests
 * shares, at a tenth of what making one takes. It does not wait for the disk: no test cuts the power.
 */
export async function copyCluster(folder: string): Promise<void> {
  const cluster = await sharedCluster(inject('sharedFolder'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await promisify(execFile)('cp', ['-a', cluster, folder]);
  const settings = '\nfsync = off\nfull_page_writes = off\n';
  await appendFile(join(folder, 'cluster', 'data', 'postgresql.conf'), settings);
}

/** The same for a state folder, whose ledger is then migrated as ever. */
export async function copyClusterIntoState(stateFolder: string): Promise<void> {
  await copyCluster(join(stateFolder, 'postgres'));
}

/** Made by whichever test file comes first; the others wait for it. */
async function sharedCluster(folder: string): Promise<string> {
  for (;;) {
    if ((await readCluster(folder)) !== undefined) return join(folder, 'cluster');
    await using lock = await takeFileLock(join(folder, 'cluster.lock'));
    if (lock === undefined) await setTimeout(PAUSE_MS);
    else if ((await readCluster(folder)) === undefined)
      await createCluster(folder, await postgresBinaries(folder));
  }
}
