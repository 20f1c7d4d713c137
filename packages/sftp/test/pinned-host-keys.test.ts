import { hostKeyFromSeed } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { fingerprintOf, hostVerifier, parseHostKeys, typeOfKey } from '../src/pinned-host-keys.ts';

const key = hostKeyFromSeed('pinned');
const blob = Buffer.from(key.line.split(' ')[1] ?? '', 'base64');

test('a key is accepted by fingerprint or by line, another is not', () => {
  const other = Buffer.from(hostKeyFromSeed('other').line.split(' ')[1] ?? '', 'base64');
  for (const pin of [
    key.fingerprint,
    `${key.fingerprint}=`,
    `256 ${key.fingerprint} root@vendor (ED25519)`,
    `ssh-gateway ${key.line}`,
    key.line,
    `[host]:2222 ${key.line} me`,
  ]) {
    const pinned = parseHostKeys([pin], 'host:22');
    expect(pinned.accepts(blob)).toBe(true);
    expect(pinned.accepts(other)).toBe(false);
  }
  expect(fingerprintOf(blob)).toBe(key.fingerprint);
  expect(typeOfKey(blob)).toBe('ssh-ed25519');
  expect(typeOfKey(Buffer.from('x'))).toBe('');
});

test('the types are known when every pin tells its own', () => {
  expect(parseHostKeys([key.line], 'host:22').types).toEqual(new Set(['ssh-ed25519']));
  expect(parseHostKeys([key.line, key.fingerprint], 'host:22').types).toBeUndefined();
});

test.each([
  '',
  'MD5:aa:bb',
  'SHA256:short',
  'ssh-ed25519',
  'ssh-rsa AAAA',
  'ssh-rsa ' + blob.toString('base64'),
])('the pin "%s" is refused', (pin) => {
  expect(() => parseHostKeys([key.fingerprint, pin], 'host:22')).toThrow(/hostKeys\[1\]/);
});

test('only a plain yes is a yes: a promise, a throw and silence are not', () => {
  const verdict = (check: (key: Buffer) => unknown) => {
    const answers: boolean[] = [];
    const returned: unknown = hostVerifier(check)(blob, (valid) => answers.push(valid));
    return [returned, ...answers];
  };
  expect(verdict(() => true)).toEqual([undefined, true]);
  expect(verdict(() => false)).toEqual([undefined, false]);
  expect(verdict(async () => true)).toEqual([undefined, false]);
  expect(verdict(() => 1)).toEqual([undefined, false]);
  expect(verdict(() => {})).toEqual([undefined, false]);
  expect(
    verdict(() => {
      throw new Error('broken');
    }),
  ).toEqual([undefined, false]);
});
