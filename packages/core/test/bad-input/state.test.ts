/** A state folder or a database that cannot be used. */
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@octo/plugin-api';
import { VirtualTree } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import type { Environment } from '../../src/cli/environment.ts';
import { Interrupted } from '../../src/cli/environment.ts';
import { rooms } from '../../src/cli/rooms.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { lockHost } from '../../src/state/host-lock.ts';
import { canary } from './canaries.ts';
import { openSite, type Site, temporaryFolder } from './site.ts';

const tree = new VirtualTree().file('/in/a.csv', 'x\n');

/** Runs with these variables, for people and for programs; answers the one line. */
async function refusal(site: Site, env: Environment['env'], code: number): Promise<string> {
  const overrides = { env: { PASSWORD: canary.password, ...env }, rooms: hurriedRooms() };
  const told = await site.octo(['run', 'daily'], overrides);
  const programs = await site.octo(['run', 'daily', '--json'], overrides);
  const listing = await site.octo(['files'], overrides);
  const { error } = JSON.parse(programs.stdout) as { readonly error: string };
  expect([told.code, programs.code, listing.code]).toEqual([code, code, code]);
  expect([told.stderr, listing.stderr]).toEqual(Array(2).fill(`octo-host: ${error}\n`));
  expect(await site.visible()).toEqual([]);
  return error.replaceAll(site.folder, 'FOLDER');
}

/** A ledger for which half a minute of patience is over in no time. */
function hurriedRooms(): Environment['rooms'] {
  let ms = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => ms,
    sleep: async (forMs) => void (ms += forMs),
  };
  return { ...rooms, openLedger: (options) => rooms.openLedger({ ...options, clock }) };
}

test.each([
  [`postgres://octo:${canary.databasePassword}@127.0.0.1:1/octo`, 3],
  [`mysql://octo:${canary.databasePassword}@db/octo`, 2],
  [`postgres://octo:${canary.databasePassword}@[::1/octo`, 2],
  [`postgres://octo:${canary.databasePassword}@127.0.0.1:99999/octo`, 2],
  [canary.databasePassword, 2],
])('a database address that is wrong is said without its password (%#)', async (url, code) => {
  const line = await refusal(
    await openSite({ tree }),
    { DATABASE_URL: url, OCTO_STATE: '.octo' },
    code,
  );
  expect(line).toMatch(
    code === 2
      ? /^DATABASE_URL is not right; write it as postgres:\/\/user:password@host:5432\/database \(OCTO_DATABASE_URL\)$/
      : /^the PostgreSQL of DATABASE_URL \(\S+, database octo\) does not answer \(.*\); is it running\? \(OCTO_DATABASE_UNREACHABLE\)$/,
  );
});

test('a state folder that others can write to, or that cannot be made, is refused', async () => {
  const site = await openSite({ tree });
  const open = join(site.folder, 'open');
  await mkdir(open);
  await chmod(open, 0o777);
  await symlink('not/there', join(site.folder, 'dangling'));
  const lines: { [state: string]: string } = {};
  for (const state of ['open', 'plugins.json', 'dangling'])
    lines[state] = await refusal(site, { OCTO_STATE: state }, 2);
  expect(lines).toEqual({
    open: "others may write to the state folder FOLDER/open; take that from them with: chmod go-w 'FOLDER/open' (OCTO_STATE_UNSAFE)",
    'plugins.json':
      'there is a file where the state folder FOLDER/plugins.json should be; remove it, or name another one with --state (OCTO_STATE_DENIED)',
    dangling:
      'the state folder FOLDER/dangling cannot be made there: a link that leads nowhere, or a disk that is not mounted; name another one with --state (OCTO_STATE_DENIED)',
  });
});

test('a second start on one state is refused and told about the first', async () => {
  const stateFolder = join(await temporaryFolder(), 'state');
  await using _first = await lockHost(stateFolder);
  const site = await openSite({ tree, pipeline: { every: '1h' } });
  const env = { PASSWORD: canary.password, OCTO_STATE: stateFolder };
  const { code, stdout, stderr } = await site.octo(['start', '--log', 'text'], {
    env,
    signal: AbortSignal.abort(new Interrupted('SIGTERM')),
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.trimEnd()).toMatch(
    /^octo-host: a host runs on the state folder \S+ already: process \d+ on \S+, since [\w:.-]+; stop it first, or give this one another --state \(OCTO_HOST_RUNNING\)$/,
  );
  expect(site.server.counts.connections).toBe(0);
});
