import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@octo/plugin-api';
import { systemClock } from '../../src/host/system-clock.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { EmbeddedPostgres } from '../../src/state/embedded-postgres.ts';
import { lockHost } from '../../src/state/host-lock.ts';

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const scope = { pipeline: 'p', sink: 's' };
const [, , task, folder] = process.argv as [string, string, string, string];

async function hold(): Promise<AsyncDisposable> {
  if (task === 'lock') return await lockHost(folder);
  if (task === 'embedded')
    return await EmbeddedPostgres.open({ folder, clock: systemClock, logger });
  const ledger = await openLedger({ stateFolder: folder, logger });
  const version = { path: 'a', name: 'a', size: 1, mtimeMs: 1, location: 'a', key: 'a' };
  await ledger.discover(scope, [version]);
  await ledger.claim({ ...scope, leaseMs: 600_000, keyAt: (key) => key, onReissue: 'version' });
  return ledger;
}

async function postmaster(): Promise<number> {
  const pidFile = join('cluster', 'data', 'postmaster.pid');
  const inState = task === 'claim' ? join('postgres', pidFile) : pidFile;
  return Number.parseInt(await readFile(join(folder, inState), 'utf8').catch(() => '0'), 10);
}

const held = await hold();
process.stdout.write(`${JSON.stringify({ postmaster: await postmaster() })}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await held[Symbol.asyncDispose]();
