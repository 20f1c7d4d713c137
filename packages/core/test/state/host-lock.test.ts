import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockHost } from '../../src/state/host-lock.ts';
import { hostProcess } from './host-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('a second host on the same state is refused and told about the first', async () => {
  await using folder = await temporaryFolder();
  await using first = await hostProcess('lock', folder.path);
  await expect(lockHost(folder.path)).rejects.toMatchObject({
    code: 'OCTO_HOST_RUNNING',
    message: expect.stringMatching(
      `process ${first.pid} on ${hostname()}, since \\d{4}-\\d\\d-\\d\\dT`,
    ),
  });
});

test('the state of a host that ended or was killed is free at once', async () => {
  await using folder = await temporaryFolder();
  const ended = await hostProcess('lock', folder.path);
  await ended.end();
  const killed = await hostProcess('lock', folder.path);
  await killed.kill();
  await using lock = await lockHost(folder.path);
  expect(lock).toBeDefined();
});

test('of hosts that start at the same moment one wins', async () => {
  await using folder = await temporaryFolder();
  const starts = await Promise.allSettled(
    Array.from({ length: 4 }, () => hostProcess('lock', folder.path)),
  );
  const winners = starts.filter(({ status }) => status === 'fulfilled');
  for (const start of starts)
    if (start.status === 'fulfilled') await start.value[Symbol.asyncDispose]();
  expect(winners).toHaveLength(1);
});

test('within one process, too, there is one host, and it can be followed by another', async () => {
  await using folder = await temporaryFolder();
  const lock = await lockHost(folder.path);
  await expect(lockHost(folder.path)).rejects.toMatchObject({ code: 'OCTO_HOST_RUNNING' });
  await lock[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  await using next = await lockHost(folder.path);
  expect(next).toBeDefined();
});

test('a broken note about the host does no harm', async () => {
  await using folder = await temporaryFolder();
  await using first = await lockHost(folder.path);
  expect(first).toBeDefined();
  await writeFile(join(folder.path, 'host.json'), '{');
  await expect(lockHost(folder.path)).rejects.toThrow('another process');
});
