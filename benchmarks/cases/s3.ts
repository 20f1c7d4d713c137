/** Case 4: one large file from a folder to S3. */
import { join } from 'node:path';
import type { Case, Contender } from '../case.ts';
import { writeRandomFile } from '../data/random-file.ts';
import type { Ground } from '../ground.ts';
import { octo } from '../octo.ts';
import { program } from '../programs.ts';
import { awsS3, rcloneS3, s3cmd } from '../s3-clients.ts';
import { checkObject, intoObject, removeObject } from '../s3-object.ts';

export const s3: Case = {
  name: 's3',
  title: 'a folder to S3',
  bar: '≥ 1.6× the best of aws, rclone, s3cmd; CPU ≤ 0.40× aws',
  bytes: 1024 ** 3,
  programs: ['aws', 'rclone', 's3cmd'],
  prepare,
};

async function prepare(ground: Ground, bytes: number): Promise<readonly Contender[]> {
  const endpoint = await ground.s3();
  const source = await ground.at('outbound');
  const file = join(source, 'settlement.bin');
  await writeRandomFile(file, bytes);
  const rclone = [program('rclone'), '--config', '/dev/null', 'copyto', file];
  return [
    octo(ground, {
      from: { folder: source },
      to: { endpoint },
      check: (round) => checkObject(endpoint, `round-${round}/settlement.bin`, bytes),
      tidy: (round) => removeObject(endpoint, `round-${round}/settlement.bin`),
    }),
    intoObject(endpoint, 'aws s3 cp', bytes, (key) => [
      ...awsS3(endpoint),
      'cp',
      '--quiet',
      file,
      `s3://bench/${key}`,
    ]),
    intoObject(endpoint, 'rclone', bytes, (key) => [
      ...rclone,
      `${rcloneS3(endpoint)}bench/${key}`,
    ]),
    intoObject(endpoint, 'rclone, 8 × 16 MiB', bytes, (key) => [
      ...rclone,
      `${rcloneS3(endpoint)}bench/${key}`,
      '--s3-chunk-size=16M',
      '--s3-upload-concurrency=8',
    ]),
    intoObject(endpoint, 's3cmd put', bytes, (key) => [
      ...s3cmd(endpoint),
      'put',
      file,
      `s3://bench/${key}`,
    ]),
  ];
}
