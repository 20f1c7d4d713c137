import { startBloombergRest, startBloombergSftp } from '@octo/plugin-testing';
import { pluginSuite, providerSuite, type VendorFile } from '@octo/plugin-testing/suites';
import definition from '../src/index.ts';
import { bloombergOverRest, bloombergOverSftp } from './provider.ts';

const names = ['octoEod-20260115.csv', 'octoRef-20260115.bbg', 'bonds-20260115.json'] as const;

pluginSuite(definition);
providerSuite('Bloomberg over REST', overRest, { names });
providerSuite('Bloomberg over SFTP', overSftp, {
  names: ['px0115.out', 'px0116.out.gz', 'ref.out'],
});

async function overRest() {
  const server = await startBloombergRest();
  const bench = await bloombergOverRest(server);
  return {
    provider: bench.provider,
    place: async ({ name, bytes, mtimeMs }: VendorFile) =>
      server.publish({ key: name, body: bytes, modifiedMs: mtimeMs }),
    remove: async (name: string) => server.remove(name),
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function overSftp() {
  const server = await startBloombergSftp();
  const bench = await bloombergOverSftp(server);
  return {
    provider: bench.provider,
    place: async ({ name, bytes, mtimeMs }: VendorFile) =>
      void server.tree.file(`/${name}`, bytes, { mtimeMs }),
    remove: async (name: string) => void server.tree.delete(`/${name}`),
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
