import { hostKeyFromSeed, RecordingLogger, rsaHostKey, SFTP_STATUS } from '@octo/plugin-testing';
import type { Diagnosis } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { diagnoseSftp, type SftpOptions } from '../src/index.ts';
import { never, optionsFor, started, systemClock, until } from './loopback.ts';

async function diagnosed(options: SftpOptions, folder = '/outbound'): Promise<Diagnosis[]> {
  const services = { clock: systemClock, logger: new RecordingLogger() };
  const steps: Diagnosis[] = [];
  for await (const step of diagnoseSftp(options, services, folder, never)) steps.push(step);
  return steps;
}

const outcomes = (steps: readonly Diagnosis[]) =>
  steps.map(({ step, outcome }) => `${step} ${outcome}`);

const ALL = ['resolve', 'connect', 'host key', 'login', 'list'].map((step) => `${step} passed`);

test('a server that is all right passes every step, and nothing stays open', async () => {
  const server = await started();
  server.tree.file('/outbound/a', '').symlink('/outbound/b', 'a');
  const steps = await diagnosed(optionsFor(server));
  expect(outcomes(steps)).toEqual(ALL);
  expect(steps.map(({ detail }) => detail)).toEqual([
    '127.0.0.1',
    `127.0.0.1 port ${server.port}`,
    server.hostKeys[0],
    'as octo',
    '1 file, and 1 that cannot be used in /outbound',
  ]);
  await until(() => server.counts.openHandles === 0);
});

test('a host key of a less preferred type is one connect step all the same', async () => {
  const rsa = rsaHostKey();
  const hostKeys = [hostKeyFromSeed('diagnose').privateKey, rsa.privateKey];
  const server = await started({ hostKeys });
  server.tree.folder('/outbound');
  const steps = await diagnosed(optionsFor(server, { hostKeys: [rsa.fingerprint] }));
  expect(outcomes(steps)).toEqual(ALL);
});

test('a server that has only ciphers that are slow here is warned of, and works', async () => {
  const server = await started({ algorithms: { cipher: ['aes128-ctr'] } });
  server.tree.file('/outbound/a', '');
  const steps = await diagnosed(optionsFor(server));
  const slow = ['login passed', 'encryption warned', 'list passed'];
  expect(outcomes(steps)).toEqual([...ALL.slice(0, 3), ...slow]);
});

test('each step can fail, is the last one then, and says what to do', async () => {
  const server = await started();
  const failing = async (options: Partial<SftpOptions>, folder?: string) => {
    const steps = await diagnosed(optionsFor(server, options), folder);
    const last = steps.at(-1);
    expect(last?.remedy).toMatch(/\w+ \w+/);
    expect(outcomes(steps).slice(0, -1)).toEqual(ALL.slice(0, steps.length - 1));
    return `${last?.step} ${last?.outcome} ${(last?.error as { type?: string } | undefined)?.type}`;
  };
  expect(await failing({ host: 'sftp.invalid' })).toBe('resolve failed network');
  expect(await failing({ port: 1 })).toBe('connect failed network');
  const hostKeys = [hostKeyFromSeed('other').fingerprint];
  expect(await failing({ hostKeys })).toBe('host key failed auth');
  expect(await failing({ password: 'wrong' })).toBe('login failed auth');
  expect(await failing({}, '/none')).toBe('list failed not_found');
  server.faults.refuse = () => SFTP_STATUS.permissionDenied;
  expect(await failing({}, '/')).toBe('list failed auth');
});
