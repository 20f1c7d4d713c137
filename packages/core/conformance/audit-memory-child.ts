// Verifies the log of its first argument with its second as the key (hex) and the checkpoints of the third; prints the verdict
// and by how much resident memory grew.
import { checkpointsInFile } from '../src/audit/read-checkpoints.ts';
import { logIdOf } from '../src/audit/checkpoint.ts';
import { verifyAudit } from '../src/audit/verify-audit.ts';

const [, , folder = '', hex = '', checkpoints = ''] = process.argv;
const key = Buffer.from(hex, 'hex');
const beforeMiB = process.memoryUsage.rss() / 1024 ** 2;
const verdict = await verifyAudit(folder, key, checkpointsInFile(checkpoints, logIdOf(key)));
const grownMiB = process.resourceUsage().maxRSS / 1024 - beforeMiB;
console.log(JSON.stringify({ verdict, grownMiB }));
