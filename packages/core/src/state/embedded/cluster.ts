import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { OctoError } from '../../errors/octo-error.ts';
import { Secret } from '../../observe/secret.ts';
import { diskFull } from '../state-error.ts';
import { runProgram } from './run-program.ts';
import { dataArgument, unprivileged } from './unprivileged.ts';

/** A database cluster on disk: its data, and the password of its one user. */
export interface Cluster {
  readonly data: string;
  readonly password: Secret;
}

export const CLUSTER_USER = 'octo';
const DRAFT = 'new-';

/** The cluster of a folder, if it has been made. */
export async function readCluster(folder: string): Promise<Cluster | undefined> {
  const cluster = join(folder, 'cluster');
  try {
    const password = new Secret(await readFile(join(cluster, 'password'), 'utf8'));
    return { data: join(cluster, 'data'), password };
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the cluster under a draft name and renames it when it is complete and on disk: whoever is killed meanwhile leaves
 * nothing half. To be called by one process at a time.
 * @throws OctoError OCTO_DATABASE_FAILED, OCTO_STATE_FULL
 */
export async function createCluster(folder: string, binaries: string): Promise<Cluster> {
  await removeDrafts(folder);
  const draft = await mkdtemp(join(folder, DRAFT));
  try {
    await initialise(draft, binaries, folder);
    await rename(draft, join(folder, 'cluster'));
    await sync(folder);
    await removeDrafts(folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return (await readCluster(folder))!;
}

/** The initdb of a process that was killed may still be writing into its draft: that one is left for the next time. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(DRAFT)) continue;
    await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
      if ((error as { code?: string }).code !== 'ENOTEMPTY') throw error;
    });
  }
}

async function initialise(draft: string, binaries: string, folder: string): Promise<void> {
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const { uid, gid } = unprivileged();
  const give = async (owner: number, group: number, paths: readonly string[]): Promise<void> => {
    for (const path of paths) await chown(path, owner, group);
  };
  if (uid !== undefined && gid !== undefined)
    await give(uid, gid, [draft, data, passwordFile]).catch(cannotDrop);
  await runInitdb(data, binaries, folder);
  if (uid !== undefined) await give(process.geteuid!(), process.getegid!(), [draft, passwordFile]);
  await chmod(passwordFile, 0o600);
  await sync(passwordFile);
  await sync(draft);
}

function cannotDrop(cause: unknown): never {
  throw new OctoError(
    'OCTO_DATABASE_FAILED',
    'PostgreSQL does not run as root, and this root may not give files to another user; run as an ordinary user, or set DATABASE_URL',
    { cause },
  );
}

async function runInitdb(data: string, binaries: string, folder: string): Promise<void> {
  const args = [
    `--pgdata=${dataArgument(data)}`,
    `--username=${CLUSTER_USER}`,
    '--auth=scram-sha-256',
    // From the working directory, which is the data folder.
    '--pwfile=../password',
    '--encoding=UTF8',
    '--no-locale',
    '--data-checksums',
    '--no-instructions',
  ];
  const { exitCode, output } = await runProgram(join(binaries, 'bin', 'initdb'), args, {
    ...unprivileged(),
    cwd: data,
  });
  if (exitCode === 0) return;
  if (/No space left on device|quota exceeded/i.test(output)) throw diskFull(folder);
  const said = output.trim().split('\n').slice(-3).join(' ');
  throw new OctoError(
    'OCTO_DATABASE_FAILED',
    `the embedded PostgreSQL could not create its files in ${folder}: ${said || 'it was killed'}; or set DATABASE_URL to a PostgreSQL of your own`,
  );
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
