import type { Case } from './case.ts';
import { sftp, sftp100, sftp20 } from './cases/sftp-to-folder.ts';

/** Everything that can be measured, in the order of the bars. */
export const CASES: readonly Case[] = [sftp, sftp20, sftp100];
