/**
 * A process that delivers one file and kills itself at the nth call of the disk after `stage`. Prints the upload's id first, as a
 * ledger would store it, and `committed` when it got that far.
 *
 * Arguments: folder, n, content.
 */
import { createHash } from 'node:crypto';
import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { realDisk, type Disk } from '../src/disk.ts';
import { FolderSink } from '../src/folder-sink.ts';

const [folder = '', n = '', content = ''] = process.argv.slice(2);
const quiet = new AbortController().signal;
const silent = () => {};
let calls = -Infinity;

const countDown = () => {
  calls += 1;
  if (calls === Number(n)) process.kill(process.pid, 'SIGKILL');
};

/** Counts the calls of an object's methods, and of the files that it creates. */
function counted<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name) {
      const method: unknown = Reflect.get(object, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        countDown();
        const answer: unknown = await method.apply(object, args);
        return name === 'create' ? counted(answer as object) : answer;
      };
    },
  });
}

async function syncToDisk(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

const disk: Disk = counted(realDisk(syncToDisk));
const sink = new FolderSink({
  directory: folder,
  fileMode: 0o640,
  directoryMode: 0o750,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
  disk,
});
const bytes = Buffer.from(content);
const sha256 = createHash('sha256').update(bytes).digest();
const staged = await sink.stage({ key: 'in/key', metadata: { delivery: 'ours' } }, quiet);
writeSync(1, `${staged.id}\n`);
calls = 0;
await staged.write(bytes, quiet);
const answer = await staged.commit(
  { bytes: bytes.length, sha256, crc64nvme: crcToBytes(new Crc64Nvme().update(bytes).digest()) },
  quiet,
);
writeSync(1, `${answer.outcome} after ${calls} calls\n`);
