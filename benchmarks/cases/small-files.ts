/** Case 8: many small files from SFTP into a folder, near and far. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case, Contender } from '../case.ts';
import { writeRandomFile } from '../data/random-file.ts';
import { checkFolder, intoFolder } from '../folder-contender.ts';
import type { Ground } from '../ground.ts';
import { octo } from '../octo.ts';
import { program } from '../programs.ts';
import { lftpOpen, rcloneSftp, remoteAt } from '../remote.ts';

const FILE_BYTES = 10 * 1024;

export const smallFiles: Case = {
  name: 'small-files',
  title: 'files of 10 KiB from SFTP to a folder, no delay',
  bar: '≥ 3× the best rclone, ≥ 2× the best lftp',
  bytes: 5000 * FILE_BYTES,
  programs: ['sshd', 'rclone', 'lftp'],
  prepare: (ground, bytes) => contenders(ground, bytes, 0),
};

export const smallFiles20: Case = {
  ...smallFiles,
  name: 'small-files-20ms',
  title: 'files of 10 KiB from SFTP to a folder, round trip 20 ms',
  bar: '≥ 8× the best rclone, ≥ 6× the best lftp',
  bytes: 1000 * FILE_BYTES,
  prepare: (ground, bytes) => contenders(ground, bytes, 20),
};

async function contenders(
  ground: Ground,
  bytes: number,
  roundTripMs: number,
): Promise<readonly Contender[]> {
  const files = Math.ceil(bytes / FILE_BYTES);
  const expected = { files, bytes: files * FILE_BYTES };
  const remote = await remoteAt(ground, roundTripMs);
  const source = await ground.at('outbound');
  const delivered = await ground.at('delivered');
  for (let file = 0; file < files; file += 1)
    await writeRandomFile(join(source, `settlement-${file}.bin`), FILE_BYTES, file);
  const placeOf = (round: number): string => join(delivered, `round-${round}`);
  const rclone = [program('rclone'), '--config', '/dev/null', 'copy', rcloneSftp(remote) + source];
  const lftp = (parallel: number): readonly string[] => [
    program('lftp'),
    '--norc',
    '-c',
    `${lftpOpen(remote)}mirror --parallel=${parallel} ${source} .`,
  ];
  return [
    octo(ground, {
      from: { remote, folder: source },
      to: { folder: delivered },
      check: (round) => checkFolder(placeOf(round), expected),
      tidy: (round) => rm(placeOf(round), { recursive: true, force: true }),
    }),
    ...[4, 16].map((transfers) =>
      intoFolder(ground, `rclone --transfers ${transfers}, no hashes`, expected, (folder) => [
        ...rclone,
        folder,
        `--transfers=${transfers}`,
        // Otherwise it starts md5sum on the server for every file, which takes it ten times as long.
        '--sftp-disable-hashcheck',
      ]),
    ),
    ...[4, 16].map((parallel) =>
      intoFolder(ground, `lftp mirror --parallel=${parallel}`, expected, () => lftp(parallel)),
    ),
  ];
}
