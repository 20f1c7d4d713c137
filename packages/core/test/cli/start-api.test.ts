import { expect, onTestFinished, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { emptyReport } from '../../src/cli/run-result.ts';
import { goodManifest, site, withRuns } from './site.ts';
import { octoHost } from './test-environment.ts';

test('start serves the API where the settings say, to those who have a key, until it ends', async () => {
  const { environment } = await site(goodManifest);
  const stop = new AbortController();
  const rooms = withRuns(environment.rooms, async ({ config }) => emptyReport(config.id));
  const listens = Promise.withResolvers<string>();
  const write = environment.stderr.write.bind(environment.stderr);
  environment.stderr.write = (text) => {
    write(text);
    const url = /"url":"(http[^"]+)"/.exec(text)?.[1];
    if (url !== undefined) listens.resolve(url);
  };
  const here = { ...environment, rooms, signal: stop.signal };
  const ended = octoHost(['start', '--log', 'json', '--api-port', '0'], here);
  onTestFinished(async () => {
    stop.abort(new Interrupted('SIGTERM'));
    await ended;
  });
  const url = await Promise.race([listens.promise, ended.then(({ stderr }) => stderr.text)]);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/v1/pipelines`)).status).toBe(401);
  environment.stdout.text = '';
  await octoHost(['keys', 'create', '--name', 'ci', '--scope', 'admin'], environment);
  const headers = {
    authorization: `Bearer ${environment.stdout.text.trim()}`,
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ pipeline: 'trades' });
  const made = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body });
  expect(made.status).toBe(201);
  expect(await made.json()).toMatchObject({ pipeline: 'trades', trigger: 'api' });
  stop.abort(new Interrupted('SIGTERM'));
  expect((await ended).code).toBe(0);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
});
