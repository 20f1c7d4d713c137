/**
 * The simulator as a process of its own: `node serve.js --port 9000 --access-key … --secret-key … --bucket lake`. Prints
 * its endpoint as one line of JSON and runs until it is told to stop or its standard input ends.
 */
import { parseArgs } from 'node:util';
import type { Keep } from './blob.ts';
import { startS3 } from './start-s3.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    region: { type: 'string', default: 'us-east-1' },
    'access-key': { type: 'string' },
    'secret-key': { type: 'string' },
    bucket: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string', default: 'memory' },
    folder: { type: 'string' },
    /** Also stop when standard input ends: then it cannot outlive whoever started it through a pipe. */
    'with-parent': { type: 'boolean', default: false },
  },
});

const s3 = await startS3({
  port: Number(values.port),
  region: values.region,
  buckets: values.bucket,
  keep: keepOf(values.keep),
  ...(values.folder !== undefined && { folder: values.folder }),
  ...(values['access-key'] !== undefined && {
    credentials: {
      accessKeyId: values['access-key'],
      secretAccessKey: values['secret-key'] ?? '',
    },
  }),
});
const { endpoint, region, credentials } = s3;
process.stdout.write(`${JSON.stringify({ endpoint, region, credentials, pid: process.pid })}\n`);

const stop = (): void => {
  void s3[Symbol.asyncDispose]().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (values['with-parent']) process.stdin.resume().once('end', stop);

function keepOf(value: string): Keep {
  if (value === 'memory' || value === 'disk' || value === 'hash') return value;
  throw new Error(`--keep must be memory, disk or hash, not ${value}`);
}
