import { expect, test } from 'vitest';
import { affirm } from './feed.ts';

const server = {
  host: 'sftp.example.com',
  username: 'octo',
  password: 'hidden',
  hostKeys: [`SHA256:${'A'.repeat(43)}`],
};

test('a server and a directory are both fine', () => {
  expect(affirm(server).settleMs).toBe(60_000);
  expect(affirm({ directory: 'drop', settleMs: 5 }).settleMs).toBe(5);
});

test.each([
  ["'host' is missing; give it, or 'directory'", {}],
  [
    "'directory' (a local folder) and 'host' (a server) exclude each other",
    { ...server, directory: 'drop' },
  ],
  ["and 'password' (a server) exclude", { directory: 'drop', password: 'hidden' }],
  ["'username' is missing", { ...server, username: undefined }],
  ["'hostKeys' is missing; ask the vendor", { ...server, hostKeys: undefined }],
  ["'privateKey' or 'password' is missing", { ...server, password: undefined }],
  ["'passphrase' is given, but there is no 'privateKey'", { ...server, passphrase: 'hidden' }],
  ['config/pattern is not a regular expression', { ...server, pattern: '(' }],
])('is refused with: %s', (message, config) => {
  const given = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  );
  expect(() => affirm(given)).toThrow(
    expect.objectContaining({ type: 'validation', message: expect.stringContaining(message) }),
  );
  expect(() => affirm(given)).not.toThrow(/hidden/);
});
