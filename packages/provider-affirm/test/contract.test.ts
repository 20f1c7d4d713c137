import { rm, utimes, writeFile } from 'node:fs/promises';
import { startSftp } from '@octo/plugin-testing';
import { providerSuite } from '@octo/plugin-testing/suites';
import type { AffirmConfig } from '../src/config-schema.ts';
import { affirm, LocalFeed } from './feed.ts';

const names = [
  'northwind_2026-01-14_2026-01-14_details.csv',
  'northwind_2026-01-14_2026-01-14_summary.csv.pgp',
  'bluebird_2026-01-14_2026-01-14_details.csv.gz',
] as const;

const moving = { afterCommit: { moveTo: 'archive' } } as const;

providerSuite('a local folder', () => localVendor({}), { names });
providerSuite('a local folder with an archive', () => localVendor(moving), { names });
providerSuite('a local folder that is emptied', () => localVendor({ afterCommit: 'delete' }), {
  names,
});
providerSuite('an SFTP server with an archive', () => server(moving), { names });

async function localVendor(config: Partial<AffirmConfig>) {
  const feed = await LocalFeed.open();
  return {
    provider: feed.provider(config),
    place: async ({ name, bytes, mtimeMs }: Placed) => {
      await writeFile(feed.path(name), bytes);
      await utimes(feed.path(name), mtimeMs / 1000, mtimeMs / 1000);
    },
    remove: async (name: string) => await rm(feed.path(name)),
    [Symbol.asyncDispose]: async () => await feed[Symbol.asyncDispose](),
  };
}

async function server(config: Partial<AffirmConfig>) {
  const sftp = await startSftp();
  const { host, port, hostKeys, tree } = sftp;
  const login = { username: 'octo', password: 'loopback' };
  return {
    provider: affirm({ host, port, hostKeys, ...login, ...config }),
    place: async ({ name, bytes, mtimeMs }: Placed) =>
      void tree.file(`/${name}`, bytes, { mtimeMs }),
    remove: async (name: string) => void tree.delete(`/${name}`),
    [Symbol.asyncDispose]: async () => await sftp[Symbol.asyncDispose](),
  };
}

interface Placed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mtimeMs: number;
}
