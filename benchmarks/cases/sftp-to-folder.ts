/** Cases 1 and 2: one large file from SFTP into a folder, near and far. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case, Contender } from '../case.ts';
import { writeRandomFile } from '../data/random-file.ts';
import { checkFolder, intoFolder } from '../folder-contender.ts';
import type { Ground } from '../ground.ts';
import { octo } from '../octo.ts';
import { program } from '../programs.ts';
import { lftpOpen, rcloneSftp, remoteAt, sshOptions, type Remote } from '../remote.ts';

const MIB = 1024 ** 2;

export const sftp: Case = {
  name: 'sftp',
  title: 'SFTP to a folder, no delay',
  bar: '≥ 1.4× rclone, ≥ 1.1× OpenSSH sftp',
  bytes: 1024 * MIB,
  programs: ['sshd', 'sftp', 'rclone', 'lftp'],
  prepare: (ground, bytes) => contenders(ground, bytes, 0),
};

export const sftp20: Case = {
  ...sftp,
  name: 'sftp-20ms',
  title: 'SFTP to a folder, round trip 20 ms',
  bar: '≥ 1.8× the best of sftp, rclone, lftp',
  bytes: 96 * MIB,
  prepare: (ground, bytes) => contenders(ground, bytes, 20),
};

export const sftp100: Case = {
  ...sftp20,
  name: 'sftp-100ms',
  title: 'SFTP to a folder, round trip 100 ms',
  bar: '≥ 3× the best of sftp, rclone, lftp',
  prepare: (ground, bytes) => contenders(ground, bytes, 100),
};

async function contenders(
  ground: Ground,
  bytes: number,
  roundTripMs: number,
): Promise<readonly Contender[]> {
  const remote = await remoteAt(ground, roundTripMs);
  const source = await ground.at('outbound');
  const delivered = await ground.at('delivered');
  const file = join(source, 'settlement.bin');
  await writeRandomFile(file, bytes);
  const expected = { files: 1, bytes };
  const placeOf = (round: number): string => join(delivered, `round-${round}`);
  return [
    octo(ground, {
      from: { remote, folder: source },
      to: { folder: delivered },
      check: (round) => checkFolder(placeOf(round), expected),
      tidy: (round) => rm(placeOf(round), { recursive: true, force: true }),
    }),
    ...clients(remote, file).map(([name, argv]) => intoFolder(ground, name, expected, argv)),
  ];
}

type Client = readonly [name: string, argv: (folder: string) => readonly string[]];

function clients(remote: Remote, file: string): readonly Client[] {
  const { user } = remote.sshd;
  const copy = ['--config', '/dev/null', 'copyto', rcloneSftp(remote) + file];
  const lftp = (get: string): readonly string[] => [
    program('lftp'),
    '--norc',
    '-c',
    lftpOpen(remote) + get,
  ];
  return [
    [
      'OpenSSH sftp',
      (folder) => [
        program('sftp'),
        '-q',
        ...sshOptions(remote),
        `${user}@127.0.0.1:${file}`,
        folder,
      ],
    ],
    ['rclone', (folder) => [program('rclone'), ...copy, join(folder, 'file')]],
    [
      'rclone, 64 × 255 KiB, no hashes',
      (folder) => [
        program('rclone'),
        ...copy,
        join(folder, 'file'),
        '--sftp-chunk-size=255k',
        '--sftp-concurrency=64',
        // Otherwise it lets md5sum read the file on the server, and reads it once more itself.
        '--sftp-disable-hashcheck',
      ],
    ],
    ['lftp get', (folder) => lftp(`get ${file} -o ${join(folder, 'file')}`)],
    ['lftp pget -n 4', (folder) => lftp(`pget -n 4 ${file} -o ${join(folder, 'file')}`)],
  ];
}
