import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, RecordingLogger, startBloombergSftp, syncToDisk } from '@octo/plugin-testing';
import { connectSftp } from '@octo/sftp';
import { expect, onTestFinished, test } from 'vitest';
import { ask, type AskOptions } from '../src/sftp/ask.ts';
import { AskedFile } from '../src/sftp/reply-names.ts';
import { RequestNotes } from '../src/sftp/request-notes.ts';
import { requestText } from '../src/sftp/request-text.ts';
import { checked, systemClock } from './provider.ts';
import { never } from './rest/loopback.ts';

const DAY_MS = 86_400_000;

test('notes outlive the process, and belong to one account', async () => {
  const folder = await temporary();
  const note = { sha256: 'ab', state: 'asked', sinceMs: 1 } as const;
  await new RequestNotes(folder, 'dl1@a:22', syncToDisk).noteRequest('px.out', note);
  expect(await new RequestNotes(folder, 'dl1@a:22', syncToDisk).request('px.out')).toMatchObject(
    note,
  );
  expect(await new RequestNotes(folder, 'dl2@a:22', syncToDisk).request('px.out')).toBeUndefined();
  expect(
    await new RequestNotes(folder, 'dl1@a:22', syncToDisk).request('other.out'),
  ).toBeUndefined();
});

test('a name of the vendor leads to no other folder', async () => {
  const folder = await temporary();
  const notes = new RequestNotes(join(folder, 'state'), 'dl1', syncToDisk);
  await notes.noteDelivered('../../../escaped', { size: 1, mtimeMs: 2 });
  expect(await readdir(folder)).toEqual(['state']);
  expect(await notes.delivered('../../../escaped')).toMatchObject({ size: 1, mtimeMs: 2 });
});

test('deliveries are forgotten long after Bloomberg forgot the reply, requests are not', async () => {
  const notes = new RequestNotes(await temporary(), 'dl1', syncToDisk);
  await notes.noteDelivered('px.out', { size: 1, mtimeMs: 0 });
  await notes.noteRequest('px.out', { sha256: 'ab', state: 'asked', sinceMs: 0 });
  await notes.forget(90 * DAY_MS);
  expect(await notes.delivered('px.out')).toBeDefined();
  await notes.forget(90 * DAY_MS + 1);
  expect(await notes.delivered('px.out')).toBeUndefined();
  expect(await notes.request('px.out')).toBeDefined();
});

test('a process that died after the upload and before its note asks nothing again', async () => {
  const { server, run, notes } = await account();
  await run();
  const note = await notes.request('px.out');
  await notes.noteRequest('px.out', { ...note!, state: 'asking' });
  await run();
  expect(server.requests).toHaveLength(1);
  expect(await notes.request('px.out')).toMatchObject({ state: 'asked' });
});

test('a process that died before the upload asks when it is back', async () => {
  const { server, run, notes } = await account();
  server.server.faults.refuse = ({ name }) => (name === 'WRITE' ? 4 : undefined);
  await expect(run()).rejects.toMatchObject({ type: 'provider_down' });
  delete server.server.faults.refuse;
  expect(await notes.request('px.out')).toMatchObject({ state: 'asking' });
  server.tree.delete('/px.req');
  await run();
  // The first is what little of it had arrived, which Bloomberg answered with an error.
  expect(server.requests).toMatchObject([{ problem: expect.anything() }, { name: 'px.req' }]);
  expect(server.requests[1]).not.toHaveProperty('problem');
  expect(await notes.request('px.out')).toMatchObject({ state: 'asked' });
});

test('whoever lost the notes finds the request where it was put', async () => {
  const { server, run } = await account();
  await run();
  const { run: runAgain } = await account(server);
  await runAgain();
  expect(server.requests).toHaveLength(1);
});

async function account(known?: Awaited<ReturnType<typeof startBloombergSftp>>) {
  const server = known ?? (await startBloombergSftp());
  if (known === undefined) onTestFinished(() => server[Symbol.asyncDispose]());
  const { host, hostKey, password, port, username } = server;
  const services = { clock: systemClock, logger: new RecordingLogger() };
  const login = { host, port, username, password, hostKeys: [hostKey] };
  const session = await connectSftp(login, services, never);
  onTestFinished(() => session[Symbol.asyncDispose]());
  const [config] =
    checked({
      requestFiles: [{ reply: 'px.out', fields: ['PX_LAST'], securities: ['IBM US Equity'] }],
    }).requestFiles ?? [];
  const notes = new RequestNotes(await temporary(), username, syncToDisk);
  const options: AskOptions = {
    session,
    folder: '',
    notes,
    clock: new ManualClock(),
    logger: services.logger,
    textOf: (one, reply) => requestText(one.config, reply, username),
  };
  return { server, notes, run: () => ask(new AskedFile(config!, 'UTC'), options, never) };
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-notes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
