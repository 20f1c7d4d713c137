import { expect, test } from 'vitest';
import { IsolatedHost } from '../../src/host/isolated-host.ts';
import { PluginSecretStores } from '../../src/host/plugin-secret-stores.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { openWorkshop, pluginModule } from './workshop.ts';

const signal = new AbortController().signal;

test('a store of others runs in a process of its own, which ends with the reading', async () => {
  const workshop = await openWorkshop();
  const { folder, logger } = workshop;
  await workshop.file(
    'vault.mjs',
    pluginModule(
      'secrets',
      `return { get: async (name) => {
        if (name === 'pid') return String(process.pid);
        if (name === 'home') return (await import('node:fs')).readFileSync('/etc/hostname', 'utf8');
        if (name === 'number') return 7;
        process.exit(3);
      } };`,
    ),
  );
  const read = await workshop.manifest({ plugins: { vault: { use: './vault.mjs' } } });
  const options = { logger, clock: systemClock, stateFolder: `${folder}/.octo` };
  const open = (one: typeof read) => IsolatedHost.create(one, options);
  const stores = new PluginSecretStores({ open, clock: systemClock, signal });
  const found = await stores.read(read, 'vault', ['pid', 'home', 'number']);
  const pid = found.get('pid');
  if (pid?.state !== 'found') throw new Error('the store gave nothing', { cause: pid });
  expect(Number(pid.value)).not.toBe(process.pid);
  expect(() => process.kill(Number(pid.value), 0)).toThrow('ESRCH');
  expect(found.get('home')).toMatchObject({
    state: 'closed',
    reason: expect.stringMatching(/access|permission/i),
  });
  expect(found.get('number')).toMatchObject({ state: 'closed' });
  const died = await stores.read(read, 'vault', ['pid', 'die']);
  expect(died.get('pid')?.state).toBe('found');
  expect(died.get('die')).toMatchObject({
    state: 'closed',
    reason: expect.stringContaining('exit code 3'),
  });
});
