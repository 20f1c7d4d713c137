import type { Case } from './case.ts';
import { lint } from './cases/lint.ts';
import { bloomberg } from './cases/bloomberg.ts';
import { openpgp } from './cases/openpgp.ts';
import { s3 } from './cases/s3.ts';
import { sftp, sftp100, sftp20 } from './cases/sftp-to-folder.ts';
import { smallFiles, smallFiles20 } from './cases/small-files.ts';
import { memory, pipeline, pipeline100 } from './cases/whole-pipeline.ts';

/** Everything that can be measured, in the order of the bars. */
export const CASES: readonly Case[] = [
  sftp,
  sftp20,
  sftp100,
  openpgp,
  s3,
  pipeline,
  pipeline100,
  memory,
  smallFiles,
  smallFiles20,
  lint,
  bloomberg,
];
