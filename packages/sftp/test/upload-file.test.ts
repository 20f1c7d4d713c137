import { SFTP_STATUS } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { connected, failureOf, never, started } from './loopback.ts';

test.each([0, 1, 32_768, 100_001])('%i bytes are uploaded as they are', async (length) => {
  const server = await started();
  const session = await connected(server);
  const bytes = Buffer.alloc(length, 'START-OF-FILE\n');
  await session.upload('/a.req', bytes, never);
  expect(Buffer.from(server.tree.bytes('/a.req')).equals(bytes)).toBe(true);
  expect(server.counts.openHandles).toBe(0);
});

test('an upload takes the place of a longer file', async () => {
  const server = await started();
  server.tree.file('/a.req', 'something much longer');
  const session = await connected(server);
  await session.upload('/a.req', Buffer.from('short'), never);
  expect(Buffer.from(server.tree.bytes('/a.req')).toString()).toBe('short');
});

test.each([
  ['OPEN', SFTP_STATUS.permissionDenied, 'auth', 'PERMISSION_DENIED'],
  ['WRITE', SFTP_STATUS.failure, 'provider_down', 'SFTP_FAILURE'],
  ['CLOSE', SFTP_STATUS.failure, 'provider_down', 'SFTP_FAILURE'],
])('a server that refuses at %s is told of, and the session lives on', async (...row) => {
  const [operation, status, type, code] = row;
  const refuse = ({ name }: { readonly name: string }) => (name === operation ? status : undefined);
  const server = await started();
  const session = await connected(server);
  server.faults.refuse = refuse;
  const error = await failureOf(session.upload('/a.req', Buffer.from('text'), never));
  expect(error).toMatchObject({ type, code });
  expect(error.message).toContain('/a.req');
  delete server.faults.refuse;
  await session.upload('/b.req', Buffer.from('text'), never);
  expect(Buffer.from(server.tree.bytes('/b.req')).toString()).toBe('text');
});

test('a connection that breaks in the middle is a network error', async () => {
  const server = await started();
  const session = await connected(server);
  server.faults.before = async ({ name }) => {
    if (name === 'WRITE') await server[Symbol.asyncDispose]();
  };
  const error = await failureOf(session.upload('/a.req', Buffer.from('text'), never));
  expect(error).toMatchObject({ type: 'network', code: 'CONNECTION_LOST' });
});

test('an aborted upload ends with the reason', async () => {
  const server = await started();
  const session = await connected(server);
  const stop = new AbortController();
  const reason = new Error('the run was stopped');
  server.faults.before = ({ name }) => {
    if (name === 'WRITE') stop.abort(reason);
  };
  await expect(session.upload('/a.req', Buffer.from('text'), stop.signal)).rejects.toBe(reason);
});
