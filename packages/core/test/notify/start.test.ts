import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { signedHeaders } from '../../src/notify/sign.ts';
import { shelfModule } from '../workers/workshop.ts';
import { startReceiver } from './receiver.ts';

const octoHost = fileURLToPath(new URL('../../bin/octo-host.mjs', import.meta.url));
const SECRET = 'correct horse battery staple';

test('a host that runs tells its webhooks what it delivered, and its log never tells their secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octo-notify-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const receiver = await startReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const heard = Promise.withResolvers<void>();
  receiver.answer = () => {
    heard.resolve();
    return { status: 204 };
  };
  await mkdir(join(folder, 'plugins'));
  await writeFile(join(folder, 'plugins/shelf.mjs'), shelfModule);
  const manifest = {
    plugins: {
      shelf: { use: './plugins/shelf.mjs', config: { files: { 'a.csv': 'x' } } },
      out: { use: '@octo/sink-fs', config: { directory: './out' } },
    },
    pipelines: { daily: { from: 'shelf', to: 'out', key: '{name}', every: '1h' } },
    host: { notify: { ops: { url: receiver.url, secret: '${env:OPS}', on: ['delivered'] } } },
  };
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const host = spawn(process.execPath, [octoHost, 'start', '--log', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OPS: SECRET, OCTO_LOG: 'debug' },
  });
  onTestFinished(() => void host.kill('SIGKILL'));
  const ended = once(host, 'exit');
  const log = text(host.stderr);
  await heard.promise;
  host.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  expect(JSON.parse(body)).toMatchObject({ type: 'file.delivered', data: { path: 'a.csv' } });
  const id = String(headers['webhook-id']);
  const at = Number(headers['webhook-timestamp']) * 1000;
  expect(headers).toMatchObject(signedHeaders({ id, body }, SECRET, at));
  expect(await log).not.toContain(SECRET);
});
