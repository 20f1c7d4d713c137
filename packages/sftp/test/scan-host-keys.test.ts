import { hostKeyFromSeed, rsaHostKey } from '@octo/plugin-testing';
import ssh2 from 'ssh2';
import { expect, test } from 'vitest';
import { scanHostKeys } from '../src/index.ts';
import { failureOf, never, started, systemClock } from './loopback.ts';

test('every key that a server has is told, and no login is tried', async () => {
  const ed25519 = hostKeyFromSeed('scanned');
  const rsa = rsaHostKey();
  const ecdsa = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 384 });
  const server = await started({ hostKeys: [rsa.privateKey, ed25519.privateKey, ecdsa.private] });
  const keys = await scanHostKeys(server, systemClock, never);
  expect(keys.map(({ type, bits }) => [type, bits])).toEqual([
    ['ssh-ed25519', 256],
    ['ecdsa-sha2-nistp384', 384],
    ['ssh-rsa', expect.any(Number)],
  ]);
  expect([2048, 3072, 4096]).toContain(keys[2]?.bits);
  expect(keys[0]).toMatchObject({ fingerprint: ed25519.fingerprint });
  expect(keys[2]).toMatchObject({ fingerprint: rsa.fingerprint });
  expect(ed25519.line.startsWith(keys[0]?.line ?? '?')).toBe(true);
  expect(server.logins).toEqual([]);
});

test('a server that cannot be reached, or has nothing to pin, is told as what it is', async () => {
  const server = await started({ algorithms: { kex: ['diffie-hellman-group14-sha1'] } });
  const nothing = await failureOf(scanHostKeys(server, systemClock, never));
  expect(nothing).toMatchObject({ type: 'validation', code: 'NO_COMMON_ALGORITHM' });
  const cut = await started({ faults: { greeting: 'close' } });
  expect((await failureOf(scanHostKeys(cut, systemClock, never))).type).toBe('network');
});
