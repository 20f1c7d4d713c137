/** Cases 5, 6 and 7: a CSV from SFTP through OpenPGP and gzip to S3. */
import { join } from 'node:path';
import type { Case, Contender } from '../case.ts';
import { openKeyRing, type KeyRing } from '../data/key-ring.ts';
import { writePackedCsv } from '../data/packed-csv.ts';
import type { Ground } from '../ground.ts';
import { octo } from '../octo.ts';
import { program } from '../programs.ts';
import { rcloneSftp, remoteAt, sshOptions, type Remote } from '../remote.ts';
import { awsS3, rcloneS3 } from '../s3-clients.ts';
import { checkObject, intoObject, removeObject } from '../s3-object.ts';
import { shell } from '../shell.ts';

export const pipeline: Case = {
  name: 'pipeline',
  title: 'SFTP, OpenPGP, gzip, S3: a .csv.gz.gpg, no delay',
  bar: '≥ 1.8× the shell pipeline; CPU ≤ 0.55×',
  bytes: 1024 ** 3,
  programs: ['sshd', 'ssh', 'gpg', 'gunzip', 'aws', 'rclone'],
  prepare: (ground, bytes) => contenders(ground, bytes, 0),
};

export const pipeline100: Case = {
  ...pipeline,
  name: 'pipeline-100ms',
  title: 'SFTP, OpenPGP, gzip, S3: a .csv.gz.gpg, round trip 100 ms',
  bar: '≥ 2.5× the shell pipeline',
  prepare: (ground, bytes) => contenders(ground, bytes, 100),
};

export const memory: Case = {
  ...pipeline,
  name: 'memory',
  title: 'the same, a small and a large file: how memory grows',
  bar: 'peak ≤ 300 MB, growth ≤ 64 MB',
  bytes: 4 * 1024 ** 3,
  programs: ['sshd', 'gpg'],
  prepare: smallAndLarge,
};

const SMALL = 100 * 1024 ** 2;

async function contenders(
  ground: Ground,
  bytes: number,
  roundTripMs: number,
): Promise<readonly Contender[]> {
  const ring = await openKeyRing(ground);
  const remote = await remoteAt(ground, roundTripMs);
  const endpoint = await ground.s3();
  const { file, contender } = await ours(ground, ring, remote, endpoint, bytes);
  const env = { GNUPGHOME: ring.home };
  const peers: readonly (readonly [string, (key: string) => readonly string[]])[] = [
    [
      'ssh cat | gpg -d | gunzip | aws s3 cp -',
      (key) =>
        shell(fetched(remote, file), OPENED, INFLATED, [
          ...awsS3(endpoint),
          'cp',
          '--quiet',
          '-',
          `s3://bench/${key}`,
        ]),
    ],
    [
      'rclone cat | gpg -d | gunzip | rclone rcat',
      (key) =>
        shell(
          rclone('cat', rcloneSftp(remote) + file),
          OPENED,
          INFLATED,
          rclone('rcat', `${rcloneS3(endpoint)}bench/${key}`),
        ),
    ],
  ];
  return [contender, ...peers.map(([name, argv]) => intoObject(endpoint, name, bytes, argv, env))];
}

async function smallAndLarge(ground: Ground, bytes: number): Promise<readonly Contender[]> {
  const ring = await openKeyRing(ground);
  const remote = await remoteAt(ground, 0);
  const endpoint = await ground.s3();
  const small = await ours(ground, ring, remote, endpoint, SMALL);
  const large = await ours(ground, ring, remote, endpoint, bytes);
  return [small.contender, large.contender];
}

async function ours(
  ground: Ground,
  ring: KeyRing,
  remote: Remote,
  endpoint: string,
  bytes: number,
): Promise<{ readonly file: string; readonly contender: Contender }> {
  const size = `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
  const source = await ground.at('outbound', size);
  const file = join(source, 'settlement.csv.gz.gpg');
  await writePackedCsv(ground, ring, file, bytes);
  const keyOf = (round: number): string => `round-${round}/settlement.csv`;
  const contender = octo(ground, {
    name: `octo-host run, ${size}`,
    from: { remote, folder: source },
    steps: [{ decrypt: { keys: [ring.privateKey] } }, 'decompress'],
    to: { endpoint },
    check: (round) => checkObject(endpoint, keyOf(round), bytes),
    tidy: (round) => removeObject(endpoint, keyOf(round)),
  });
  return { file, contender };
}

function fetched(remote: Remote, file: string): readonly string[] {
  const { user } = remote.sshd;
  return [program('ssh'), ...sshOptions(remote), `${user}@127.0.0.1`, `cat '${file}'`];
}

function rclone(...args: readonly string[]): readonly string[] {
  return [program('rclone'), '--config', '/dev/null', ...args];
}

const OPENED = ['gpg', '--batch', '-q', '-d'];
const INFLATED = ['gunzip', '-c'];
